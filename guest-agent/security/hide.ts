import { inRoot, openInRoot } from '../rootfs/in-root.ts';
import {
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MS_BIND,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  S_IFCHR,
  S_IFDIR,
  S_IFMT,
} from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { SystemError } from '../sys/system-error.ts';

/** Covers files with /dev/null and folders with an empty one. Paths that this kernel does not have are left out. */
export function maskPaths(sys: Sys, root: number, paths: string[]): void {
  const nothing = openNull(sys, root);
  for (const path of paths) {
    inRoot(sys, root, path, (target, fd) => {
      if ((sys.fstat(fd).mode & S_IFMT) === S_IFDIR)
        sys.mount('tmpfs', target, 'tmpfs', MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, 'size=0');
      else sys.mount(`/proc/self/fd/${nothing}`, target, null, MS_BIND, null);
    });
  }
  sys.close(nothing);
}

/** Puts a read-only copy of its own mount over each path. */
export function makeReadonly(sys: Sys, root: number, paths: string[]): void {
  for (const path of paths) {
    inRoot(sys, root, path, (_, fd) => {
      const copy = sys.cloneMount(fd);
      sys.setMountAttributes(copy, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
      sys.attachMount(copy, fd);
      sys.close(copy);
    });
  }
}

/** What covers secrets is known by its device number, not by its name: CVE-2025-31133. */
function openNull(sys: Sys, root: number): number {
  const fd = openInRoot(sys, root, '/dev/null');
  const { mode, device } = sys.fstat(fd);
  if ((mode & S_IFMT) !== S_IFCHR || device !== NULL_DEVICE) throw new SystemError('verify', '/dev/null', ENODEV);
  return fd;
}

/** Major 1, minor 3: Documentation/admin-guide/devices.txt. */
const NULL_DEVICE = 0x103;
const ENODEV = 19;
