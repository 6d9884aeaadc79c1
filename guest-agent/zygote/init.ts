import { bringLoopbackUp, unshareNamespaces } from '../namespaces.ts';
import { mountKernelFileSystems } from '../rootfs/kernel-mounts.ts';
import { makeFolder } from '../rootfs/folder.ts';
import { mountOverlay } from '../rootfs/overlay.ts';
import { makeMountsPrivate, pivotRoot } from '../rootfs/pivot.ts';
import { makeReadonly, maskPaths } from '../security/hide.ts';
import type { Sys } from '../sys/sys.ts';
import { becomeProcess } from './become.ts';
import type { ContainerInit } from './protocol.ts';
import { openStdio, useStdio } from './stdio.ts';

/**
 * Makes the calling process a container's first one. It is PID 1 of a new PID namespace and in the container's cgroup
 * already, and has one thread. Returns only as an error.
 */
export function initContainer(sys: Sys, init: ContainerInit, ignoredSignals: number[]): void {
  sys.umask(0);
  const stdio = openStdio(sys, init.stdio, init.uid, init.gid);
  unshareNamespaces(sys);
  makeMountsPrivate(sys);
  const root = mountOverlay(sys, init.rootfs);
  mountKernelFileSystems(sys, root);
  maskPaths(sys, root, init.maskedPaths);
  makeReadonly(sys, root, init.readonlyPaths);
  bringLoopbackUp(sys);
  sys.sethostname(init.hostname);
  pivotRoot(sys);
  useStdio(sys, stdio);
  makeFolder(sys, init.cwd);
  becomeProcess(sys, init, ignoredSignals);
}
