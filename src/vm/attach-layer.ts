import { NestError } from '../errors.ts';
import { layerDisks } from '../libvirt/description.ts';
import { LAYER_UNITS, layerDiskXml } from '../libvirt/domain-xml.ts';
import type { Guest, Host } from './host.ts';
import { domainName } from './record.ts';

interface Layer {
  diffId: string;
  path: string;
}

/** Callers that want the same layer share the work; a failure is forgotten, so that the next one tries again. */
export function attachLayer(host: Host, guest: Guest, layer: Layer): Promise<void> {
  const known = guest.layers.get(layer.diffId);
  if (known) return known;
  const attached = plugAndMount(host, guest, layer);
  guest.layers.set(layer.diffId, attached);
  attached.catch(() => guest.layers.delete(layer.diffId));
  return attached;
}

async function plugAndMount(host: Host, guest: Guest, { diffId, path }: Layer): Promise<void> {
  const serial = layerSerial(diffId);
  const plugged = guest.plugging.then(() => plug(host, guest, path, serial));
  guest.plugging = plugged.catch(() => undefined);
  await plugged;
  await guest.trunk.send({ method: 'PUT', path: `/v1/layers/${diffId}`, body: { serial } });
}

/** The domain knows which disks it has: nothing else has to be remembered over the engine's end. */
async function plug(host: Host, guest: Guest, file: string, serial: string): Promise<void> {
  const domain = domainName(host.instance, guest.record.id);
  const disks = layerDisks(await host.libvirt.describe(domain));
  if (disks.some((disk) => disk.serial === serial)) return;
  const taken = new Set(disks.map(({ unit }) => unit));
  let unit = 0;
  while (taken.has(unit)) unit++;
  if (unit >= LAYER_UNITS)
    throw new NestError('no-room', `attach layer to guest \`${guest.record.name}\`: too many layers`);
  await host.libvirt.attachDevice(domain, layerDiskXml({ file, serial, unit }));
}

/** SCSI serials are short: the first 20 hex digits of `sha256:…` (guest-agent/api.ts, LayerDisk). */
export function layerSerial(diffId: string): string {
  return diffId.slice('sha256:'.length, 'sha256:'.length + 20);
}
