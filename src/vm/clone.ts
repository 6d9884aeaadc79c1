import { open } from 'node:fs/promises';
import type { BootFiles } from '../guest-image/guest-image.ts';
import { domainXml } from '../libvirt/domain-xml.ts';
import { domainSpec, makeFiles } from './domain.ts';
import type { Host } from './host.ts';
import type { GuestRecord } from './record.ts';
import { loadDevices } from './template/devices.ts';
import { whileMappable } from './template/mappable.ts';
import type { Template } from './template/store.ts';

/**
 * Makes a guest that goes on where the template's was stopped, and copies each page of its memory when it first writes it.
 * Its processors stand still until libvirt's `resume`. To be followed by `defineClone`: until then libvirt forgets it when it
 * ends.
 */
export async function makeClone(
  host: Host,
  record: GuestRecord,
  { boot, template }: { boot: BootFiles; template: Template },
  signal: AbortSignal,
): Promise<void> {
  await makeFiles(host, record.id, { template: template.disk });
  const ram = { kind: 'template', file: template.memory } as const;
  const first = domainXml({ ...domainSpec(host, record, boot), ram });
  await using devices = await open(template.devices);
  await whileMappable(template, { version: host.qemuVersion, owner: host.owner }, () =>
    host.libvirt.startPaused(first),
  );
  await loadDevices(host.libvirt, record.domain, devices, signal);
}

/**
 * The domain is defined as one that boots, though its first QEMU was started from another description: once that has ended,
 * libvirt's `start` boots the guest, from its own disk and with the same name, UUID and record. It has to be greeted then
 * as after any boot (greet.ts).
 */
export async function defineClone(host: Host, record: GuestRecord, boot: BootFiles): Promise<void> {
  await host.libvirt.define(domainXml(domainSpec(host, record, boot)));
}
