import * as v from 'valibot';
import { DiffId, VolumeId } from '../../guest-agent/api.ts';
import { pluggedDisks } from '../libvirt/description.ts';
import { layerDiskXml } from '../libvirt/domain-xml.ts';
import { layerSerial } from './attach-layer.ts';
import type { Guest, Host } from './host.ts';
import { inTurn } from './plug.ts';
import { domainName } from './record.ts';

/** The diff ids of layers that are to stay; asked anew for each disk. */
export type Wanted = () => string[] | 'all';

/**
 * Unmounts and unplugs the layers that nobody wants. It takes its turn with those that plug: who begins to want a layer
 * before it is let go keeps it, who does so later has it plugged again.
 */
export function detachLayers(host: Host, guest: Guest, wanted: Wanted): Promise<void> {
  return inTurn(guest, () => detach(host, guest, wanted));
}

async function detach(host: Host, guest: Guest, wanted: Wanted): Promise<void> {
  const domain = domainName(host.instance, guest.record.id);
  const disks = pluggedDisks(await host.libvirt.describe(domain)).filter(({ serial }) => !v.is(VolumeId, serial));
  if (disks.length === 0) return;
  const mounted = await guest.trunk.request({ method: 'GET', path: '/v1/layers' }, v.array(DiffId));
  for (const disk of disks) {
    // Between the question and the forgetting nothing waits.
    const now = wanted();
    if (now === 'all') return;
    if (now.some((diffId) => layerSerial(diffId) === disk.serial)) continue;
    const diffId = mounted.find((each) => layerSerial(each) === disk.serial);
    if (diffId !== undefined) {
      guest.layers.delete(diffId);
      await guest.trunk.send({ method: 'DELETE', path: `/v1/layers/${diffId}` });
    }
    await host.libvirt.detachDevice(domain, layerDiskXml(disk));
  }
}
