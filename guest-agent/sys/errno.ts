import { constants } from 'node:os';

/** Name of an errno number, e.g. 2 → ENOENT: errno(3). Numbers without a name keep their digits: E4095. */
export function errnoName(code: number): string {
  return NAMES.get(code) ?? `E${code}`;
}

/** EWOULDBLOCK and EOPNOTSUPP share a number with EAGAIN and ENOTSUP, which come first here and are the names given. */
const NAMES = new Map<number, string>();
for (const [name, code] of Object.entries(constants.errno)) if (!NAMES.has(code)) NAMES.set(code, name);
// Numbers that a container runtime meets and Node does not name: asm-generic/errno.h.
for (const [code, name] of [
  [15, 'ENOTBLK'],
  [117, 'EUCLEAN'],
  [122, 'EDQUOT'],
  [123, 'ENOMEDIUM'],
] as const)
  if (!NAMES.has(code)) NAMES.set(code, name);
