import { writeMetadata } from '../libvirt/metadata.ts';
import { stored } from './domain.ts';
import { update, type Guest, type Host } from './host.ts';
import { domainName, type GuestShape } from './record.ts';

/**
 * Notes what a guest is promised from its next start on (start.ts). It is not hot-plugged: the devices of a clone are those
 * of its template, and what hot-plugs memory would let a guest punch holes into the template's (docs/decisions/0007).
 */
export async function resizeGuest(host: Host, guest: Guest, shape: GuestShape): Promise<void> {
  const { record } = guest;
  const same = shape.vcpus === record.shape.vcpus && shape.memory === record.shape.memory;
  const state = record.state === 'stopped' ? ('stopped' as const) : ('running' as const);
  const changed = { ...record, next: same ? null : shape };
  await writeMetadata(host.libvirt, domainName(host.instance, record.id), stored(host, changed, state));
  update(host, guest, { next: changed.next });
}
