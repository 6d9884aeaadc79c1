import { mountOverlay } from '../rootfs/overlay.ts';
import { makeFolder } from '../rootfs/folder.ts';
import { moveKernelFileSystems } from '../rootfs/kernel-mounts.ts';
import { pivotRoot } from '../rootfs/pivot.ts';
import type { Sys } from '../sys/sys.ts';
import { becomeProcess } from './become.ts';
import { prepareSandbox } from './prepare.ts';
import type { ContainerInit } from './protocol.ts';
import { openInput, openOutputs, type OutputDescriptors, ownStdio, useStdio } from './stdio.ts';

/**
 * Makes the calling process a container's first one. It is PID 1 of a new PID namespace and in the container's cgroup
 * already, and has one thread. Returns only as an error.
 */
export function initContainer(sys: Sys, init: ContainerInit, ignoredSignals: number[]): void {
  const outputs = openOutputs(sys, init.stdio);
  prepareSandbox(sys, init.sandbox);
  finishContainer(sys, init, outputs, ignoredSignals);
}

/** The second half, for a process that has its sandbox. Returns only as an error. */
export function finishContainer(
  sys: Sys,
  init: ContainerInit,
  outputs: OutputDescriptors,
  ignoredSignals: number[],
): void {
  const stdio = ownStdio(sys, [openInput(sys, init.stdio), ...outputs], init.uid, init.gid);
  const root = mountOverlay(sys, init.rootfs);
  moveKernelFileSystems(sys, root);
  sys.sethostname(init.hostname);
  pivotRoot(sys);
  useStdio(sys, stdio);
  makeFolder(sys, init.cwd);
  becomeProcess(sys, init, ignoredSignals);
}
