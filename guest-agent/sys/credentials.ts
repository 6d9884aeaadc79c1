import { check } from './check.ts';
import { PR_CAPBSET_DROP } from './constants.ts';
import { lastErrno, type Libc, SYS } from './ffi.ts';
import { structure } from './structure.ts';
import { SystemError } from './system-error.ts';

/** Who the calling thread is and what it may do: credentials(7), capabilities(7). */
export const credentials = (libc: Libc) => ({
  setgroups: (groups: number[]) =>
    check(libc.setgroups(SYS.setgroups, groups.length, Uint32Array.from(groups)), 'setgroups', ''),
  setgid: (gid: number) => check(libc.setgid(SYS.setgid, gid), 'setgid', gid),
  setuid: (uid: number) => check(libc.setuid(SYS.setuid, uid), 'setuid', uid),

  /** False when the kernel has no capability of that number. */
  dropFromBoundingSet(capability: number): boolean {
    if (libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) === 0) return true;
    const code = lastErrno();
    if (code === EINVAL) return false;
    throw new SystemError('drop capability', String(capability), code);
  },

  /** A capability that leaves the permitted or inheritable set leaves the ambient one, too. */
  capset(effective: bigint, permitted: bigint, inheritable: bigint): void {
    for (const [index, set] of [effective, permitted, inheritable].entries()) {
      SETS.writeUInt32LE(Number(set & 0xffffffffn), index * 4);
      SETS.writeUInt32LE(Number(set >> 32n), index * 4 + 12);
    }
    check(libc.capset(HEADER, SETS), 'capset', permitted.toString(16));
  },
});

const EINVAL = 22;
// include/uapi/linux/capability.h
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
/** {u32 version, int pid} */
const HEADER = structure(8);
HEADER.writeUInt32LE(LINUX_CAPABILITY_VERSION_3, 0);
/** {u32 effective, permitted, inheritable}[2], the low halves first */
const SETS = structure(24);
