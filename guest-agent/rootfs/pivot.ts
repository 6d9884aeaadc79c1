import { MNT_DETACH, MS_MOVE, MS_PRIVATE, MS_REC, MS_SLAVE, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import type { Bundle } from '../zygote/protocol.ts';
import { cloneTree } from './mount.ts';

/**
 * Nothing mounted from here on appears in the guest. The other way round it does, until the root is pivoted: a process may
 * wait for its container while the container's layers are mounted. See mount_namespaces(7), MS_SLAVE.
 */
export function keepMountsToItself(sys: Sys): void {
  sys.mount(null, '/', null, MS_REC | MS_SLAVE, null);
}

/**
 * Makes a mount of a folder that somebody else made ready, since only a mount can become the root, and makes that the
 * working directory.
 *
 * @returns the new root, open
 */
export function enterBundle(sys: Sys, { root }: Bundle): number {
  const tree = cloneTree(sys, root, true);
  const target = sys.open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  sys.attachMount(tree, target);
  sys.close(target);
  sys.close(tree);
  sys.chdir(root);
  return sys.open('.', O_PATH | O_DIRECTORY | O_CLOEXEC);
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

/** Where the guest's root cannot be let go of: it stays, covered by the new one, and chroot(2) is all that keeps it so. */
export function changeRoot(sys: Sys): void {
  sys.mount('.', '/', null, MS_MOVE, null);
  sys.chroot('.');
  sys.chdir('/');
}

/** @param propagation MS_* of the root and what is mounted on it, seen from now on */
export function propagateRoot(sys: Sys, propagation: number): void {
  if (propagation !== (MS_PRIVATE | MS_REC)) sys.mount(null, '/', null, propagation, null);
}
