import { NestError } from '../errors.ts';
import { pluggedDisks } from '../libvirt/description.ts';
import { SCSI_UNITS } from '../libvirt/domain-xml.ts';
import type { Guest, Host } from './host.ts';
import { domainName } from './record.ts';

/**
 * Plugs a disk into a free place unless it is plugged already. The domain knows which disks it has: nothing else has to be
 * remembered over the engine's end.
 */
export function plugDisk(host: Host, guest: Guest, serial: string, diskXml: (unit: number) => string): Promise<void> {
  return inTurn(guest, async () => {
    const domain = domainName(host.instance, guest.record.id);
    const disks = pluggedDisks(await host.libvirt.describe(domain));
    if (disks.some((disk) => disk.serial === serial)) return;
    const taken = new Set(disks.map(({ unit }) => unit));
    let unit = 0;
    while (taken.has(unit)) unit++;
    if (unit >= SCSI_UNITS)
      throw new NestError('no-room', `attach a disk to guest \`${guest.record.name}\`: it has too many`);
    await host.libvirt.attachDevice(domain, diskXml(unit));
  });
}

/** What plugs and unplugs goes one after the other. */
export function inTurn(guest: Guest, work: () => Promise<void>): Promise<void> {
  const done = guest.plugging.then(work);
  guest.plugging = done.catch(() => undefined);
  return done;
}
