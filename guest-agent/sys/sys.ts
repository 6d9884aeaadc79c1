import { bpf } from './bpf.ts';
import { credentials } from './credentials.ts';
import { type Libc, libc } from './ffi.ts';
import { files } from './files.ts';
import { fork } from './fork.ts';
import { memory } from './memory.ts';
import { mounts } from './mounts.ts';
import { processes } from './processes.ts';
import { quota } from './quota.ts';
import { sockets } from './sockets.ts';
import { xattrs } from './xattrs.ts';

/**
 * Linux as the agent and the zygote use it. Code that makes system calls takes it as an argument, so that a test can
 * record them.
 */
export const linux = kernelOf(libc);

export type Sys = ReturnType<typeof kernelOf>;

/** The same functions on another C library. */
export function kernelOf(functions: Libc) {
  return {
    ...files(functions),
    ...memory(functions),
    ...mounts(functions),
    ...fork(functions),
    ...processes(functions),
    ...credentials(functions),
    ...sockets(functions),
    ...xattrs(functions),
    ...quota(functions),
    ...bpf(functions),
  };
}
