import {
  MOUNT_ATTR_ATIME,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME,
  MS_BIND,
  MS_DIRSYNC,
  MS_I_VERSION,
  MS_LAZYTIME,
  MS_MANDLOCK,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_NOSYMFOLLOW,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_RELATIME,
  MS_REMOUNT,
  MS_SHARED,
  MS_SILENT,
  MS_SLAVE,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
  MS_UNBINDABLE,
} from '../sys/constants.ts';
import type { Mount } from './mount.ts';

/** What the options of a mount mean, and whether it gets the ID map of the container's user namespace. */
export interface MountOptions extends Pick<
  Mount,
  'flags' | 'data' | 'attributes' | 'recursive' | 'propagation' | 'copyUp'
> {
  bind: boolean;
  idMap: 'none' | 'one' | 'recursive';
}

/**
 * Reads the options of OCI runtime specification, config.md, "Mounts", which are those of mount(8). Later ones win; what no
 * table has is the file system's own.
 */
export function parseOptions(options: readonly string[]): MountOptions {
  const parsed: MountOptions = {
    flags: 0,
    data: null,
    attributes: { set: 0, clear: 0 },
    recursive: { set: 0, clear: 0 },
    propagation: [],
    copyUp: false,
    bind: false,
    idMap: 'none',
  };
  const data: string[] = [];
  for (const option of options) if (!take(parsed, option)) data.push(option);
  return { ...parsed, data: data.length === 0 ? null : data.join(',') };
}

function take(parsed: MountOptions, option: string): boolean {
  const flag = FLAGS[option];
  if (flag !== undefined) {
    parsed.flags = (parsed.flags & ~(flag.clear ?? 0)) | (flag.set ?? 0);
    if (flag.set === MS_BIND || flag.set === (MS_BIND | MS_REC)) parsed.bind = true;
    if (flag.attributes !== undefined) apply(parsed.attributes, flag.attributes);
    return true;
  }
  const recursive = FLAGS[option.slice(1)]?.attributes;
  if (option.startsWith('r') && recursive !== undefined) {
    apply(parsed.recursive, recursive);
    return true;
  }
  const propagation = PROPAGATION[option];
  if (propagation !== undefined) parsed.propagation.push(propagation);
  else if (option === 'tmpcopyup') parsed.copyUp = true;
  else if (option === 'idmap' || option === 'ridmap') parsed.idMap = option === 'idmap' ? 'one' : 'recursive';
  else return option === 'defaults';
  return true;
}

/** The last word on each attribute counts. */
function apply(to: { set: number; clear: number }, change: { set: number; clear: number }): void {
  to.set = (to.set & ~change.clear) | change.set;
  to.clear = (to.clear & ~change.set) | change.clear;
}

interface Flag {
  set?: number;
  clear?: number;
  /** For a bind mount. */
  attributes?: { set: number; clear: number };
}

const on = (flag: number, attribute: number): Flag => ({ set: flag, attributes: { set: attribute, clear: 0 } });
const off = (flag: number, attribute: number): Flag => ({ clear: flag, attributes: { set: 0, clear: attribute } });
const accessTime = (flag: number, attribute: number): Flag => ({
  set: flag,
  clear: MS_NOATIME | MS_RELATIME | MS_STRICTATIME,
  attributes: { set: attribute, clear: MOUNT_ATTR_ATIME },
});

const FLAGS: Partial<Record<string, Flag>> = {
  ro: on(MS_RDONLY, MOUNT_ATTR_RDONLY),
  rw: off(MS_RDONLY, MOUNT_ATTR_RDONLY),
  nosuid: on(MS_NOSUID, MOUNT_ATTR_NOSUID),
  suid: off(MS_NOSUID, MOUNT_ATTR_NOSUID),
  nodev: on(MS_NODEV, MOUNT_ATTR_NODEV),
  dev: off(MS_NODEV, MOUNT_ATTR_NODEV),
  noexec: on(MS_NOEXEC, MOUNT_ATTR_NOEXEC),
  exec: off(MS_NOEXEC, MOUNT_ATTR_NOEXEC),
  nosymfollow: on(MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW),
  symfollow: off(MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW),
  nodiratime: on(MS_NODIRATIME, MOUNT_ATTR_NODIRATIME),
  diratime: off(MS_NODIRATIME, MOUNT_ATTR_NODIRATIME),
  noatime: accessTime(MS_NOATIME, MOUNT_ATTR_NOATIME),
  atime: accessTime(0, 0),
  relatime: accessTime(MS_RELATIME, 0),
  norelatime: accessTime(MS_STRICTATIME, MOUNT_ATTR_STRICTATIME),
  strictatime: accessTime(MS_STRICTATIME, MOUNT_ATTR_STRICTATIME),
  nostrictatime: accessTime(0, 0),
  bind: { set: MS_BIND },
  rbind: { set: MS_BIND | MS_REC },
  sync: { set: MS_SYNCHRONOUS },
  async: { clear: MS_SYNCHRONOUS },
  dirsync: { set: MS_DIRSYNC },
  mand: { set: MS_MANDLOCK },
  nomand: { clear: MS_MANDLOCK },
  iversion: { set: MS_I_VERSION },
  noiversion: { clear: MS_I_VERSION },
  lazytime: { set: MS_LAZYTIME },
  nolazytime: { clear: MS_LAZYTIME },
  silent: { set: MS_SILENT },
  loud: { clear: MS_SILENT },
  remount: { set: MS_REMOUNT },
};

const PROPAGATION: Partial<Record<string, number>> = {
  private: MS_PRIVATE,
  rprivate: MS_PRIVATE | MS_REC,
  shared: MS_SHARED,
  rshared: MS_SHARED | MS_REC,
  slave: MS_SLAVE,
  rslave: MS_SLAVE | MS_REC,
  unbindable: MS_UNBINDABLE,
  runbindable: MS_UNBINDABLE | MS_REC,
};

/** MS_* of the propagation mode of that name. */
export const propagationOf = (name: string): number | undefined => PROPAGATION[name];

export const OPTION_NAMES = [
  ...Object.keys(FLAGS),
  ...Object.entries(FLAGS).flatMap(([name, flag]) => (flag?.attributes === undefined ? [] : [`r${name}`])),
  ...Object.keys(PROPAGATION),
  ...['tmpcopyup', 'idmap', 'ridmap'],
].sort();
