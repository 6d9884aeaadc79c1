import { S_IFCHR } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';

/** Fills a fresh tmpfs at `folder`: the OCI runtime specification's default devices and links. The umask is 0. */
export function makeDevices(sys: Sys, folder: string): void {
  for (const [name, device] of DEVICES) sys.mknod(`${folder}/${name}`, S_IFCHR | 0o666, device);
  for (const [name, target] of LINKS) sys.symlink(target, `${folder}/${name}`);
  for (const name of ['pts', 'shm', 'mqueue']) sys.mkdir(`${folder}/${name}`, 0o755);
}

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
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  ['ptmx', 'pts/ptmx'],
] as const;
