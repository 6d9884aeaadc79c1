import { MNT_DETACH, MS_PRIVATE, MS_REC } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';

/** Nothing mounted from here on appears in the guest, nor the other way round. */
export function makeMountsPrivate(sys: Sys): void {
  sys.mount(null, '/', null, MS_REC | MS_PRIVATE, null);
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
