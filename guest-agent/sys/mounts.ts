import { check } from './check.ts';
import { type Libc, SYS } from './ffi.ts';
import { structure, writeU64 } from './structure.ts';

/** Mounts: mount(2), pivot_root(2), and by descriptor open_tree, move_mount and mount_setattr(2). */
export const mounts = (libc: Libc) => ({
  /** @param data options as text, at most one page (4,095 bytes) */
  mount: (source: string | null, target: string, type: string | null, flags: number, data: string | null) =>
    check(libc.mount(source, target, type, flags, data), 'mount', type === null ? target : `${type} to ${target}`),

  umount2: (target: string, flags: number) => check(libc.umount2(target, flags), 'umount', target),

  pivotRoot: (newRoot: string, putOld: string) =>
    check(libc.pivot_root(SYS.pivot_root, newRoot, putOld), 'pivot_root', newRoot),

  /** A detached copy of the mount at the folder or file `fd`, like a bind mount that is nowhere yet. */
  cloneMount: (fd: number, recursive = false) =>
    check(
      libc.open_tree(fd, '', AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0)),
      'open_tree',
      fd,
    ),

  /** @param attributes MOUNT_ATTR_* to add, and more that is rarely changed */
  setMountAttributes(mount: number, attributes: number, change: MountChange = {}): void {
    writeU64(MOUNT_ATTR, attributes, 0);
    writeU64(MOUNT_ATTR, change.clear ?? 0, 8);
    writeU64(MOUNT_ATTR, change.propagation ?? 0, 16);
    writeU64(MOUNT_ATTR, change.userNamespace ?? 0, 24);
    const flags = AT_EMPTY_PATH | (change.recursive === true ? AT_RECURSIVE : 0);
    check(libc.mount_setattr(mount, '', flags, MOUNT_ATTR, MOUNT_ATTR.length), 'mount_setattr', mount);
  },

  /** Attaches a detached mount over the folder or file `target`. */
  attachMount: (mount: number, target: number) =>
    check(
      libc.move_mount(mount, '', target, '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH),
      'move_mount',
      target,
    ),
});

export interface MountChange {
  /** MOUNT_ATTR_* to take away. */
  clear?: number;
  /** MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE. */
  propagation?: number;
  /** Descriptor of the user namespace whose ID map the mount gets, with MOUNT_ATTR_IDMAP. */
  userNamespace?: number;
  /** The mounts below it as well. */
  recursive?: boolean;
}

// include/uapi/linux/fcntl.h and mount.h
const AT_RECURSIVE = 0x8000;
const AT_EMPTY_PATH = 0x1000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;

/** struct mount_attr {u64 attr_set, attr_clr, propagation, userns_fd} */
const MOUNT_ATTR = structure(32);
