import { layerDiskXml } from '../libvirt/domain-xml.ts';
import type { Guest, Host } from './host.ts';
import { plugDisk } from './plug.ts';

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
  await plugDisk(host, guest, serial, (unit) => layerDiskXml({ file: path, serial, unit }));
  await guest.trunk.send({ method: 'PUT', path: `/v1/layers/${diffId}`, body: { serial } });
}

/** SCSI serials are short: the first 20 hex digits of `sha256:…` (guest-agent/api.ts, LayerDisk). */
export function layerSerial(diffId: string): string {
  return diffId.slice('sha256:'.length, 'sha256:'.length + 20);
}
