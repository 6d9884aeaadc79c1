import {
  CLONE_FS,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWUTS,
  O_CLOEXEC,
  O_RDONLY,
} from './sys/constants.ts';
import type { Sys } from './sys/sys.ts';

/** The namespaces of a process: namespaces(7). The PID namespace is its parent's matter, as a process never changes it. */
export interface Namespaces {
  /** CLONE_NEW* that it makes for itself. */
  own: number;
  /** Those that exist and are joined first, by file or descriptor, with their CLONE_NEW*. */
  joined: { at: string | number; type: number }[];
}

/** All but user and time. */
export const OWN = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP;

/** For the calling process. The cgroup it is in becomes the root of its cgroup namespace. */
export function enterNamespaces(sys: Sys, { own, joined }: Namespaces): void {
  for (const { at, type } of joined) joinNamespace(sys, at, type);
  sys.unshare(own);
}

function joinNamespace(sys: Sys, at: string | number, type: number): void {
  const fd = typeof at === 'number' ? at : sys.open(at, O_RDONLY | O_CLOEXEC);
  // Threads of one process that share root and working directory must stay in one mount namespace: setns(2).
  if (type === CLONE_NEWNS) sys.unshare(CLONE_FS);
  sys.setns(fd, type);
  sys.close(fd);
}

/** Those of the process that `pidfd` is. Root and working directory become that process's root. */
export const joinNamespaces = (sys: Sys, pidfd: number, types: number = OWN) => sys.setns(pidfd, types);
