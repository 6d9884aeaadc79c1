import { bringLoopbackUp, unshareNamespaces } from '../namespaces.ts';
import { mountKernelFileSystems } from '../rootfs/kernel-mounts.ts';
import { keepMountsToItself } from '../rootfs/pivot.ts';
import { boundCapabilities } from '../security/capabilities.ts';
import { makeReadonly, maskPaths } from '../security/hide.ts';
import type { Sys } from '../sys/sys.ts';
import type { Sandbox } from './protocol.ts';

/**
 * The first half of a container: all that does not depend on which one it will be. The calling process is PID 1 of a new
 * PID namespace; afterwards it is in namespaces of its own, and the kernel's file systems are ready to be moved into a root.
 */
export function prepareSandbox(sys: Sys, sandbox: Sandbox): void {
  sys.umask(0);
  unshareNamespaces(sys);
  keepMountsToItself(sys);
  const stage = mountKernelFileSystems(sys);
  maskPaths(sys, stage, sandbox.maskedPaths);
  makeReadonly(sys, stage, sandbox.readonlyPaths);
  sys.close(stage);
  bringLoopbackUp(sys);
  boundCapabilities(sys, sandbox.capabilities);
}
