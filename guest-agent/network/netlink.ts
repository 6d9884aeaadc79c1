import type { Sys } from '../sys/sys.ts';
import { SystemError } from '../sys/system-error.ts';

/** A request to the kernel's network configuration: netlink(7), rtnetlink(7). */
export interface Request {
  /** RTM_* */
  type: number;
  /** NLM_F_* besides NLM_F_REQUEST. */
  flags: number;
  /** The family's header and its attributes. */
  body: Buffer;
  /** What it does and to what, for errors. */
  operation: string;
  object: string;
}

/** struct rtattr {u16 len, type}, the value, and padding to four bytes. A number is a u32, a text ends in NUL. */
export function attribute(type: number, value: Buffer | string | number): Buffer {
  const bytes = typeof value === 'number' ? u32(value) : typeof value === 'string' ? Buffer.from(`${value}\0`) : value;
  const encoded = Buffer.alloc(aligned(ATTRIBUTE_HEADER + bytes.length));
  encoded.writeUInt16LE(ATTRIBUTE_HEADER + bytes.length, 0);
  encoded.writeUInt16LE(type, 2);
  bytes.copy(encoded, ATTRIBUTE_HEADER);
  return encoded;
}

/** Attributes by type. What claims to be longer than it is ends the reading. */
export function readAttributes(bytes: Buffer): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at + ATTRIBUTE_HEADER <= bytes.length;) {
    const length = bytes.readUInt16LE(at);
    if (length < ATTRIBUTE_HEADER || at + length > bytes.length) break;
    attributes.set(bytes.readUInt16LE(at + 2), bytes.subarray(at + ATTRIBUTE_HEADER, at + length));
    at += aligned(length);
  }
  return attributes;
}

/** struct nlmsghdr {u32 len; u16 type, flags; u32 seq, pid}, one for each request; only the last asks for an answer. */
export function encode(requests: Request[]): Buffer {
  return Buffer.concat(
    requests.map(({ type, flags, body }, index) => {
      const message = Buffer.alloc(aligned(MESSAGE_HEADER + body.length));
      message.writeUInt32LE(MESSAGE_HEADER + body.length, 0);
      message.writeUInt16LE(type, 4);
      const answered = index === requests.length - 1 && (flags & NLM_F_DUMP) !== NLM_F_DUMP;
      message.writeUInt16LE(flags | NLM_F_REQUEST | (answered ? NLM_F_ACK : 0), 6);
      message.writeUInt32LE(index, 8);
      body.copy(message, MESSAGE_HEADER);
      return message;
    }),
  );
}

/**
 * Has the kernel carry out requests, one after another, in one call: each is done, or has failed, when it returns.
 *
 * @param socket of NETLINK_ROUTE; it acts in the network namespace in which it was made
 * @returns bodies of the messages that answer a dump
 * @throws SystemError of the first that failed; those after it were carried out nevertheless
 */
export function transact(sys: Sys, socket: number, requests: Request[]): Buffer[] {
  const replies: Buffer[] = [];
  let failure: SystemError | undefined;
  sys.write(socket, encode(requests));
  for (;;) {
    const length = sys.read(socket, REPLY) ?? 0;
    if (length === 0) return replies;
    for (const { type, sequence, body } of messages(REPLY.subarray(0, length))) {
      const request = requests[sequence];
      const code = type === NLMSG_ERROR ? -body.readInt32LE(0) : 0;
      if (code !== 0) failure ??= new SystemError(request?.operation ?? 'netlink', request?.object ?? '', code);
      if (type >= NLMSG_MIN_TYPE) replies.push(Buffer.from(body));
      else if (sequence === requests.length - 1 && (type === NLMSG_ERROR || type === NLMSG_DONE)) {
        if (failure !== undefined) throw failure;
        return replies;
      }
    }
  }
}

function* messages(bytes: Buffer): Generator<{ type: number; sequence: number; body: Buffer }> {
  for (let at = 0; at + MESSAGE_HEADER <= bytes.length;) {
    const length = bytes.readUInt32LE(at);
    if (length < MESSAGE_HEADER || at + length > bytes.length) return;
    const body = bytes.subarray(at + MESSAGE_HEADER, at + length);
    yield { type: bytes.readUInt16LE(at + 4), sequence: bytes.readUInt32LE(at + 8), body };
    at += aligned(length);
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}

/** NLMSG_ALIGN, RTA_ALIGN. */
const aligned = (length: number) => (length + 3) & ~3;

const ATTRIBUTE_HEADER = 4;
const MESSAGE_HEADER = 16;
/** What the kernel sends at once: NLMSG_GOODSIZE, at most 32 KiB for a dump. */
const REPLY = Buffer.alloc(32 * 1024);

// include/uapi/linux/netlink.h
const NLM_F_REQUEST = 0x1;
const NLM_F_ACK = 0x4;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_DUMP = 0x300;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLMSG_MIN_TYPE = 16;
