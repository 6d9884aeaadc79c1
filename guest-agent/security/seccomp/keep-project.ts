import { ARCHITECTURE, compareWith, encode, give, JUMP_EQUAL, load, NUMBER } from '../../sys/classic-bpf.ts';
import type { InstalledFilter } from './filter.ts';

/**
 * The filter, or none, behind one that keeps files in their project. Who owns a file may else take it out of its project and
 * so out of its quota: the kernel refuses that in user namespaces of their own only (fs/ioctl.c, fileattr_set_prepare).
 */
export function keepProject(filter: InstalledFilter | null): InstalledFilter {
  const rest = filter === null ? encode([give(ALLOW)]) : Buffer.from(filter.program, 'base64');
  return { program: Buffer.concat([encode(PROGRAM), rest]).toString('base64'), flags: filter?.flags ?? 0 };
}

const isEqual = (value: number, yes: number, no: number) => compareWith(JUMP_EQUAL, value, yes, no);

/** AUDIT_ARCH_* */
const X86_64 = 0xc000003e;
const I386 = 0x40000003;
/** Lower half of args[1] in struct seccomp_data: the kernel looks at no more of the request. */
const REQUEST = 24;
const ALLOW = 0x7fff0000;
const EPERM = 0x00050000 | 1;

/**
 * Of ioctl (arch/x86/entry/syscalls: x86-64, x32, i386) it refuses FS_IOC_FSSETXATTR, which sets a project, FS_IOC_SETFLAGS
 * and FS_IOC32_SETFLAGS, which set whether a folder hands it on. All else is left to what follows.
 */
const PROGRAM = [
  load(ARCHITECTURE),
  isEqual(X86_64, 0, 3),
  load(NUMBER),
  isEqual(16, 4, 0),
  isEqual(0x40000000 + 514, 3, 8),
  isEqual(I386, 0, 7),
  load(NUMBER),
  isEqual(54, 0, 5),
  load(REQUEST),
  isEqual(0x401c5820, 2, 0),
  isEqual(0x40086602, 1, 0),
  isEqual(0x40046602, 0, 1),
  give(EPERM),
];
