import { chown, open } from 'node:fs/promises';
import { volumeDiskXml } from '../libvirt/domain-xml.ts';
import { guestPaths } from '../paths.ts';
import type { Guest, Host } from './host.ts';
import { plugDisk } from './plug.ts';

/** A disk without a file system on which a guest leaves bytes for the engine. */
export interface Scratch {
  file: string;
  /** What the guest knows it by. */
  serial: string;
}

/** Plugs it unless it is there; it ends with the guest. What is on it is as hostile as all that a guest says. */
export async function attachScratch(host: Host, guest: Guest): Promise<Scratch> {
  const file = guestPaths(host.paths, guest.record.id).scratch;
  {
    await using handle = await open(file, 'a', 0o600);
    await handle.truncate(SIZE);
  }
  if (host.owner) await chown(file, host.owner.uid, host.owner.gid);
  await plugDisk(host, guest, SERIAL, (unit) => volumeDiskXml({ file, serial: SERIAL, unit, readOnly: false }));
  return { file, serial: SERIAL };
}

/** Bytes that it can hold; the host gives them when they are written. As many as a layer may have. */
const SIZE = 32 * 1024 ** 3;
const SERIAL = `s${'0'.repeat(19)}`;
