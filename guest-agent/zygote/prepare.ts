import { bringLoopbackUp, enterNamespaces } from '../namespaces.ts';
import { mountKernelFileSystems } from '../rootfs/kernel-mounts.ts';
import { keepMountsToItself } from '../rootfs/pivot.ts';
import { boundCapabilities } from '../security/capabilities.ts';
import { makeReadonly, maskPaths } from '../security/hide.ts';
import { CLONE_NEWNET } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import type { Sandbox } from './protocol.ts';

/**
 * The first half of a container: all that does not depend on which one it will be. The calling process is in its PID
 * namespace; afterwards it is in the others, and the kernel's file systems, if they are staged, are ready to be moved into
 * a root.
 */
export function prepareSandbox(sys: Sys, sandbox: Sandbox): void {
  const { namespaces, staged } = sandbox;
  sys.umask(0);
  enterNamespaces(sys, namespaces);
  keepMountsToItself(sys);
  if (staged !== null) {
    const stage = mountKernelFileSystems(sys, staged.shmSize);
    hidePaths(sys, stage, sandbox);
    sys.close(stage);
  }
  if (namespaces.own & CLONE_NEWNET) bringLoopbackUp(sys);
  boundCapabilities(sys, sandbox.capabilities);
}

export function hidePaths(sys: Sys, root: number, { maskedPaths, readonlyPaths }: Sandbox): void {
  maskPaths(sys, root, maskedPaths);
  makeReadonly(sys, root, readonlyPaths);
}
