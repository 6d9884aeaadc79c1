import { MNT_DETACH, MS_REC, MS_SLAVE } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';

/**
 * Nothing mounted from here on appears in the guest. The other way round it does, until the root is pivoted: a process may
 * wait for its container while the container's layers are mounted. See mount_namespaces(7), MS_SLAVE.
 */
export function keepMountsToItself(sys: Sys): void {
  sys.mount(null, '/', null, MS_REC | MS_SLAVE, null);
}

/**
 * Makes the working directory, a mount, the root and lets go of the old one. The second "." is then the old root,
 * stacked on the new one: pivot_root(2), "pivot_root(".", ".")".
 */
export function pivotRoot(sys: Sys): void {
  sys.pivotRoot('.', '.');
  sys.umount2('.', MNT_DETACH);
  sys.chdir('/');
}
