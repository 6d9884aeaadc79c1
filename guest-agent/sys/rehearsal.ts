import { S_IFCHR } from './constants.ts';
import type { Libc } from './ffi.ts';
import { kernelOf, type Sys } from './sys.ts';

/** Linux whose system calls succeed without being made. fork returns as in the copy, execve as when it fails. */
export function rehearsal(): Sys {
  const answer = (answers: Partial<Libc>, name: string | symbol): unknown => Reflect.get(answers, name) ?? succeed;
  return kernelOf(new Proxy(ANSWERS, { get: answer }) as Libc);
}

const succeed = () => 0;

/** Where 0 is no success, or the answer is looked at. */
const ANSWERS: Partial<Libc> = {
  getcwd: () => 1n,
  /** /dev/null: a character device, major 1, minor 3. */
  fstat(_, status) {
    status.writeUInt32LE(S_IFCHR, 24);
    status.writeBigUInt64LE(0x103n, 40);
    return 0;
  },
  /** Only netlink is read from: requests succeed. */
  read(_, buffer) {
    ACKNOWLEDGEMENTS.copy(buffer);
    return ACKNOWLEDGEMENTS.length;
  },
};

/** netlink(7): struct nlmsghdr {u32 len; u16 type, flags; u32 seq, pid} and struct nlmsgerr {s32 error; the request's header}. */
function acknowledge(sequence: number): Buffer {
  const message = Buffer.alloc(36);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(NLMSG_ERROR, 4);
  message.writeUInt32LE(sequence, 8);
  return message;
}

const NLMSG_ERROR = 2;
/** As many as any call has requests. */
const ACKNOWLEDGEMENTS = Buffer.concat([0, 1, 2, 3].map(acknowledge));
