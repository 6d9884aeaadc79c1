import { MS_PRIVATE, MS_RDONLY, MS_REC, O_CLOEXEC, O_PATH, S_IFDIR, S_IFMT } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { SystemError, unless } from '../sys/system-error.ts';
import { copyTree } from './copy-tree.ts';
import { followInRoot, makeInRoot, openInRoot } from './in-root.ts';

/** A mount of a container: mount(2), mount_setattr(2). */
export interface Mount {
  /** In the container. */
  destination: string;
  /** File system to make; null takes over what is at `source`: a bind mount. */
  type: string | null;
  /** A name for the file system, or a path in the guest, or the descriptor of a detached mount that was made before. */
  source: string | number;
  /** MS_* of a new file system; of a bind mount MS_REC alone counts. */
  flags: number;
  /** Options of the file system. */
  data: string | null;
  /** MOUNT_ATTR_* of a bind mount. */
  attributes: { set: number; clear: number };
  /** Those that the mounts below it get, too. */
  recursive: { set: number; clear: number };
  /** MS_PRIVATE and its like, each with or without MS_REC, in this order. */
  propagation: number[];
  /** What the image has there is copied into the new file system. */
  copyUp: boolean;
}

/** What is at `source` in the guest, at `destination` in the container. @param set MOUNT_ATTR_* */
export const bindMount = (source: string, destination: string, set = 0): Mount => ({
  destination,
  type: null,
  source,
  flags: MS_REC,
  data: null,
  attributes: { set, clear: 0 },
  recursive: NO_ATTRIBUTES,
  propagation: [MS_PRIVATE | MS_REC],
  copyUp: false,
});

export const NO_ATTRIBUTES = { set: 0, clear: 0 };

/** Mounts it in a root that an image made: links in the destination are followed within the root alone. */
export function addMount(sys: Sys, root: number, mount: Mount): void {
  const mounted = mount.type === null ? bind(sys, root, mount, mount.source) : make(sys, root, mount, mount.type);
  for (const propagation of mount.propagation)
    sys.setMountAttributes(mounted, 0, { propagation: propagation & ~MS_REC, recursive: (propagation & MS_REC) !== 0 });
  sys.close(mounted);
}

/** @returns the mount, open */
function make(sys: Sys, root: number, mount: Mount, type: string): number {
  const { destination, source, flags, data, copyUp } = mount;
  // What shows the kernel must be where programs look for it: no link leads there.
  const target = KERNEL.has(type)
    ? makeWithoutLinks(sys, root, destination)
    : makeInRoot(sys, root, destination, 'folder');
  if (!KERNEL.has(type)) refuseKernelTarget(sys, target, destination);
  sys.mount(String(source), `/proc/self/fd/${target}`, type, copyUp ? flags & ~MS_RDONLY : flags, data);
  const mounted = followInRoot(sys, root, destination);
  if (copyUp) {
    // The descriptor still leads to the folder that the mount covers.
    copyTree(`/proc/self/fd/${target}`, `/proc/self/fd/${mounted}`);
    if (flags & MS_RDONLY) sys.setMountAttributes(mounted, MS_RDONLY);
  }
  sys.close(target);
  return mounted;
}

function bind(sys: Sys, root: number, mount: Mount, source: string | number): number {
  const { destination, flags, attributes, recursive } = mount;
  const tree = typeof source === 'number' ? source : cloneTree(sys, source, (flags & MS_REC) !== 0);
  const kind = (sys.fstat(tree).mode & S_IFMT) === S_IFDIR ? 'folder' : 'file';
  const target = makeInRoot(sys, root, destination, kind);
  refuseKernelTarget(sys, target, destination);
  if (attributes.set | attributes.clear) sys.setMountAttributes(tree, attributes.set, { clear: attributes.clear });
  if (recursive.set | recursive.clear)
    sys.setMountAttributes(tree, recursive.set, { clear: recursive.clear, recursive: true });
  sys.attachMount(tree, target);
  sys.close(target);
  return tree;
}

/** A detached copy of what is mounted at `path`. */
export function cloneTree(sys: Sys, path: string, recursive: boolean): number {
  const source = sys.open(path, O_PATH | O_CLOEXEC);
  try {
    return sys.cloneMount(source, recursive);
  } finally {
    sys.close(source);
  }
}

function makeWithoutLinks(sys: Sys, root: number, path: string): number {
  const existing = unless(['ENOENT'], () => openInRoot(sys, root, path));
  return existing ?? makeInRoot(sys, root, path, 'folder');
}

/** A volume on /proc would hide from programs, and from this runtime, what the kernel says: all but some harmless files. */
function refuseKernelTarget(sys: Sys, target: number, destination: string): void {
  const harmless = HARMLESS.includes(destination.replace(/\/+$/, ''));
  if (sys.fileSystem(target) === PROC_SUPER_MAGIC && !harmless) throw new SystemError('mount', destination, EPERM);
}

const KERNEL = new Set(['proc', 'sysfs']);
/** As runc has it; what LXCFS provides. */
const HARMLESS = [
  '/proc/cpuinfo',
  '/proc/diskstats',
  '/proc/loadavg',
  '/proc/meminfo',
  '/proc/net/dev',
  '/proc/slabinfo',
  '/proc/stat',
  '/proc/swaps',
  '/proc/sys/kernel/ns_last_pid',
  '/proc/uptime',
];
/** include/uapi/linux/magic.h */
const PROC_SUPER_MAGIC = 0x9fa0;
const EPERM = 1;
