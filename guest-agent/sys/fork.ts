import { readFileSync } from 'node:fs';
import { check } from './check.ts';
import { CLONE_INTO_CGROUP, CLONE_PIDFD, SIGCHLD } from './constants.ts';
import { addressOf, type Libc, SYS } from './ffi.ts';
import { structure, writeU64 } from './structure.ts';

export const fork = (libc: Libc) => ({
  /**
   * A copy of this process, born in the cgroup whose folder is open as `cgroup`, or with null in the same: clone3(2).
   *
   * The copy has one thread. It may only make system calls and must end in execve or exit: V8's other threads are gone.
   *
   * V8 marks its heap MADV_DONTFORK: in a plain copy it is missing. Each fork undoes this for all of the heap, as it is at
   * that moment: between the two calls nothing may be allocated, and no function of ours be entered or left, since V8 may
   * then map more. madvise(2) says ENOMEM because the range has holes, and advises the rest nevertheless.
   *
   * @param flags CLONE_NEW* below 2³²
   * @returns pid 0 in the copy
   */
  fork(flags: number, cgroup: number | null): { pid: number; pidfd: number } {
    writeU64(CLONE_ARGS, flags + CLONE_PIDFD + (cgroup === null ? 0 : CLONE_INTO_CGROUP), 0);
    writeU64(CLONE_ARGS, cgroup ?? 0, CLONE_ARGS_SIZE - 8);
    const { start, length } = (heap ??= heapRange());
    libc.madvise(start, length, MADV_DOFORK);
    const pid = libc.clone3(SYS.clone3, CLONE_ARGS, CLONE_ARGS_SIZE);
    check(pid, 'clone', '');
    return { pid, pidfd: CLONE_ARGS.readInt32LE(CLONE_ARGS_SIZE) };
  },
});

/** Everything of ours is mapped between vm.mmap_min_addr and [vvar], where the kernel's own pages begin: they refuse the advice. */
function heapRange(): { start: number; length: number } {
  const start = 0x10000;
  const line = /^([0-9a-f]+)-[0-9a-f]+ .*\[vvar/m.exec(readFileSync('/proc/self/maps', 'utf8'));
  if (line?.[1] === undefined) throw new Error('no [vvar] in /proc/self/maps');
  return { start, length: Number.parseInt(line[1], 16) - start };
}

let heap: ReturnType<typeof heapRange> | undefined;
const MADV_DOFORK = 11;

/** struct clone_args {u64 flags, pidfd, child_tid, parent_tid, exit_signal, …, cgroup}, followed by the new pidfd. */
const CLONE_ARGS_SIZE = 88;
const CLONE_ARGS = structure(CLONE_ARGS_SIZE + 4);
CLONE_ARGS.writeBigUInt64LE(addressOf(CLONE_ARGS) + BigInt(CLONE_ARGS_SIZE), 8);
writeU64(CLONE_ARGS, SIGCHLD, 32);
