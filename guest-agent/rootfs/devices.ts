import { S_IFBLK, S_IFCHR, S_IFIFO } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { SystemError, unless } from '../sys/system-error.ts';
import { makeInRoot } from './in-root.ts';
import { addMount, bindMount } from './mount.ts';

/** A device file: OCI runtime specification, config-linux.md, "Devices". */
export interface Device {
  path: string;
  type: 'c' | 'b' | 'u' | 'p';
  major: number;
  minor: number;
  mode: number;
  uid: number;
  gid: number;
}

/** Fills a fresh tmpfs at `folder`: the OCI runtime specification's default devices and links. The umask is 0. */
export function makeDevices(sys: Sys, folder: string): void {
  for (const [name, device] of DEVICES) sys.mknod(`${folder}/${name}`, S_IFCHR | 0o666, device);
  for (const [name, target] of LINKS) sys.symlink(target, `${folder}/${name}`);
  for (const name of ['pts', 'shm', 'mqueue']) sys.mkdir(`${folder}/${name}`, 0o755);
}

/** The same in a root whose /dev is there already, perhaps with some of them. */
export function makeDefaultDevices(sys: Sys, root: number): void {
  for (const [name, device] of DEVICES)
    addDevice(sys, root, {
      ...{ path: `/dev/${name}`, type: 'c', mode: 0o666, uid: 0, gid: 0 },
      ...{ major: device >> 8, minor: device & 0xff },
    });
  const folder = makeInRoot(sys, root, '/dev', 'folder');
  for (const [name, target] of LINKS) unless(['EEXIST'], () => sys.symlink(target, `/proc/self/fd/${folder}/${name}`));
  sys.close(folder);
}

/**
 * A file that exists is left as it is. Where the kernel makes no device files, in a user namespace, the guest's own one takes
 * its place.
 */
export function addDevice(sys: Sys, root: number, { path, type, major, minor, mode, uid, gid }: Device): void {
  const at = path.lastIndexOf('/');
  const folder = makeInRoot(sys, root, path.slice(0, at), 'folder');
  const file = `/proc/self/fd/${folder}/${path.slice(at + 1)}`;
  try {
    sys.mknod(file, TYPES[type] | mode, deviceNumber(major, minor));
    sys.chown(file, uid, gid);
  } catch (error) {
    if (!(error instanceof SystemError) || !['EEXIST', 'EPERM'].includes(error.errno)) throw error;
    if (error.errno === 'EPERM') addMount(sys, root, bindMount(path, path));
  } finally {
    sys.close(folder);
  }
}

/** makedev(3) */
export const deviceNumber = (major: number, minor: number) =>
  (minor & 0xff) + (major & 0xfff) * 2 ** 8 + (minor >>> 8) * 2 ** 20 + Math.floor(major / 2 ** 12) * 2 ** 44;

/** The other way round. */
export const numbersOf = (device: number) => ({
  major: (Math.floor(device / 2 ** 8) & 0xfff) + Math.floor(device / 2 ** 44) * 2 ** 12,
  minor: (device & 0xff) + (Math.floor(device / 2 ** 20) & 0xffffff) * 2 ** 8,
});

const TYPES = { c: S_IFCHR, u: S_IFCHR, b: S_IFBLK, p: S_IFIFO };

/** Major × 256 + minor: Documentation/admin-guide/devices.txt. */
const DEVICES = [
  ['null', 0x103],
  ['zero', 0x105],
  ['full', 0x107],
  ['random', 0x108],
  ['urandom', 0x109],
  ['tty', 0x500],
] as const;

const LINKS = [
  ['core', '/proc/kcore'],
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  ['ptmx', 'pts/ptmx'],
] as const;
