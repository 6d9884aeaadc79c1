import { rm } from 'node:fs/promises';
import { guestPaths, type Paths } from '../paths.ts';
import { letGo, type Host } from './host.ts';
import { domainName } from './record.ts';

/** The domain first: files without one are known to be left over, should this end halfway. */
export async function removeGuest(host: Host, id: string): Promise<void> {
  const guest = host.guests.get(id);
  if (guest) guest.stopping = true;
  const domain = domainName(host.instance, id);
  try {
    await host.libvirt.destroy(domain);
    await host.libvirt.undefine(domain);
  } catch (error) {
    if (guest) guest.stopping = false;
    // A half-made one is unknown from here on: the next adopt() removes what libvirt still has of it.
    if (guest?.record.state === 'starting') {
      letGo(guest);
      host.guests.delete(id);
    }
    throw error;
  }
  if (guest) letGo(guest);
  await removeFiles(host.paths, id);
  host.guests.delete(id);
}

export async function removeFiles(paths: Paths, id: string): Promise<void> {
  const { folder, trunk } = guestPaths(paths, id);
  await rm(trunk, { force: true });
  await rm(folder, { recursive: true, force: true });
}
