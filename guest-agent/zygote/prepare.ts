import { enterNamespaces } from '../namespaces.ts';
import { makeInterfaces, reachSwitch, type Wiring } from '../network/wiring.ts';
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
 *
 * @returns what it is to be put on its networks with
 */
export function prepareSandbox(sys: Sys, sandbox: Sandbox): Wiring | undefined {
  const { namespaces, cable, staged } = sandbox;
  sys.umask(0);
  const reached = cable === null ? undefined : reachSwitch(sys, cable);
  enterNamespaces(sys, namespaces);
  keepMountsToItself(sys);
  if (staged !== null) {
    const stage = mountKernelFileSystems(sys, staged.shmSize);
    hidePaths(sys, stage, sandbox);
    sys.close(stage);
  }
  const wiring = namespaces.own & CLONE_NEWNET ? makeInterfaces(sys, reached) : undefined;
  boundCapabilities(sys, sandbox.capabilities);
  return wiring;
}

export function hidePaths(sys: Sys, root: number, { maskedPaths, readonlyPaths }: Sandbox): void {
  maskPaths(sys, root, maskedPaths);
  makeReadonly(sys, root, readonlyPaths);
}
