import { open } from 'node:fs/promises';
import { domainXml, type DomainSpec } from '../libvirt/domain-xml.ts';
import type { Host } from './host.ts';
import { loadDevices } from './template/devices.ts';
import { whileMappable } from './template/mappable.ts';
import type { Template } from './template/store.ts';

/**
 * Starts the domain as a clone: it goes on where the template's guest was stopped, and copies each page of its memory when
 * it first writes it. Its processors stand still until `resume`.
 *
 * The domain must be defined: once this QEMU has ended it is an ordinary domain again, which `start` boots.
 */
export async function startClone(host: Host, spec: DomainSpec, template: Template, signal: AbortSignal): Promise<void> {
  const xml = domainXml({ ...spec, ram: { kind: 'template', file: template.memory } });
  await using devices = await open(template.devices);
  await whileMappable(template, { version: host.qemuVersion, owner: host.owner }, () => host.libvirt.startPaused(xml));
  await loadDevices(host.libvirt, spec.name, devices, signal);
}
