import { plugIn, type Wiring } from '../network/wiring.ts';
import { addDevice, makeDefaultDevices } from '../rootfs/devices.ts';
import { makeFolder } from '../rootfs/folder.ts';
import { moveKernelFileSystems } from '../rootfs/kernel-mounts.ts';
import { addMount } from '../rootfs/mount.ts';
import { mountOverlay } from '../rootfs/overlay.ts';
import { changeRoot, enterBundle, pivotRoot, propagateRoot } from '../rootfs/pivot.ts';
import { adjustOomScore } from '../security/resource-limits.ts';
import { writeSysctl } from '../security/sysctl.ts';
import { MOUNT_ATTR_RDONLY, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { becomeProcess } from './become.ts';
import { type Gates, NO_GATES } from './gates.ts';
import { hidePaths, prepareSandbox } from './prepare.ts';
import type { ContainerInit } from './protocol.ts';
import { openInput, openOutputs, type OutputDescriptors, ownStdio, useStdio } from './stdio.ts';
import { mountConsole, openTerminal } from './terminal.ts';

/**
 * Makes the calling process a container's first one. It is in the container's PID namespace and cgroup already, and has one
 * thread. Returns only as an error.
 */
export function initContainer(sys: Sys, init: ContainerInit, ignoredSignals: number[], gates: Gates = NO_GATES): void {
  gates.born();
  const outputs = openOutputs(sys, init.stdio);
  const wiring = prepareSandbox(sys, init.sandbox);
  finishContainer(sys, init, { outputs, wiring }, ignoredSignals, gates);
}

/** What a process has from the first half. */
interface Prepared {
  outputs: OutputDescriptors;
  wiring: Wiring | undefined;
}

/** The second half, for a process that has its sandbox. Returns only as an error. */
export function finishContainer(
  sys: Sys,
  init: ContainerInit,
  { outputs, wiring }: Prepared,
  ignoredSignals: number[],
  gates: Gates = NO_GATES,
): void {
  const { rootfs, sandbox, options } = init;
  if (options.oomScoreAdj !== undefined) adjustOomScore(sys, options.oomScoreAdj);
  const stdio = ownStdio(sys, [openInput(sys, init.stdio), ...outputs], init.uid, init.gid);
  const root = 'layers' in rootfs ? mountOverlay(sys, rootfs) : enterBundle(sys, rootfs);
  if (sandbox.staged !== null) moveKernelFileSystems(sys, root);
  fillRoot(sys, root, init);
  const terminal = 'rows' in init.stdio ? openTerminal(sys, root, init.stdio, init, gates.console) : undefined;
  if (terminal !== undefined) mountConsole(sys, root, terminal[0]);
  if (wiring !== undefined) plugIn(sys, wiring, init.plugs);
  if (init.hostname !== null) sys.sethostname(init.hostname);
  if (options.domainname !== undefined) sys.setdomainname(options.domainname);
  gates.created();
  if ('noPivot' in rootfs && rootfs.noPivot) changeRoot(sys);
  else pivotRoot(sys);
  if ('propagation' in rootfs) propagateRoot(sys, rootfs.propagation);
  useStdio(sys, terminal ?? stdio, init.stdio, gates);
  makeFolder(sys, init.cwd);
  if (options.readonlyRoot === true) makeRootReadonly(sys);
  becomeProcess(sys, init, ignoredSignals, gates);
}

/** What is particular to this container. */
function fillRoot(sys: Sys, root: number, { sandbox, options }: ContainerInit): void {
  for (const mount of options.mounts ?? []) addMount(sys, root, mount);
  if (options.defaultDevices === true) makeDefaultDevices(sys, root);
  for (const device of options.devices ?? []) addDevice(sys, root, device);
  for (const [name, value] of options.sysctls ?? []) writeSysctl(sys, name, value);
  if (sandbox.staged === null) hidePaths(sys, root, sandbox);
}

/** The mounts on it stay as they are. */
function makeRootReadonly(sys: Sys): void {
  const root = sys.open('/', O_PATH | O_DIRECTORY | O_CLOEXEC);
  sys.setMountAttributes(root, MOUNT_ATTR_RDONLY);
  sys.close(root);
}
