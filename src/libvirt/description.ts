/** What nest reads from the XML that libvirt writes. */
import { XMLParser } from 'fast-xml-parser';
import * as v from 'valibot';
import { RAM_ID, type ProcessOwner } from './domain-xml.ts';

export interface PluggedDisk {
  file: string;
  serial: string;
  unit: number;
  readOnly: boolean;
}

/** The disks that were plugged into a domain: layers, read-only, and volumes. */
export function pluggedDisks(domainXml: string): PluggedDisk[] {
  const { domain } = v.parse(DomainDescription, parser.parse(domainXml));
  return domain.devices.disk.flatMap(({ source, target, serial, address, readonly }) =>
    target['@bus'] === 'scsi' && serial !== undefined && address['@unit'] !== undefined
      ? [
          {
            file: source['@file'] ?? '',
            serial,
            unit: Number(address['@unit']),
            readOnly: readonly !== undefined,
          },
        ]
      : [],
  );
}

/** The user whom libvirt's daemon gives QEMU, null where it runs as who called: the session daemon, or no DAC driver. */
export function processOwner(capabilitiesXml: string): ProcessOwner | null {
  const { capabilities } = v.parse(Capabilities, parser.parse(capabilitiesXml));
  const dac = capabilities.host.secmodel.find(({ model }) => model === 'dac');
  const label = dac?.baselabel.map((each) => /^\+(\d+):\+(\d+)$/.exec(each['#text'])).find((match) => match !== null);
  return label ? { uid: Number(label[1]), gid: Number(label[2]) } : null;
}

/**
 * The definition of one of nest's domains, as libvirt wrote it, with other processors and memory.
 *
 * @throws Error when it is not as domain-xml.ts makes it
 */
export function reshaped(definition: string, { vcpus, memory }: { vcpus: number; memory: number }): string {
  const changes: [RegExp, string][] = [
    [/<memory unit='[^']*'>\d+<\/memory>/, `<memory unit='b'>${memory}</memory>`],
    [/<currentMemory unit='[^']*'>\d+<\/currentMemory>/, `<currentMemory unit='b'>${memory}</currentMemory>`],
    [/(<vcpu[^>]*>)\d+<\/vcpu>/, `$1${vcpus}</vcpu>`],
    [new RegExp(`("id":"${RAM_ID}","size":)\\d+`.replaceAll('"', '(?:"|&quot;)')), `$1${memory}`],
  ];
  return changes.reduce((xml, [pattern, replacement]) => {
    if (!pattern.test(xml)) throw new Error(`reshape a domain: no ${String(pattern)} in its definition`);
    return xml.replace(pattern, replacement);
  }, definition);
}

const LISTS = new Set(['domain.devices.disk', 'capabilities.host.secmodel', 'capabilities.host.secmodel.baselabel']);
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  parseTagValue: false,
  isArray: (_name, path) => LISTS.has(String(path)),
});

const Disk = v.object({
  source: v.optional(v.object({ '@file': v.optional(v.string()) }), {}),
  target: v.object({ '@bus': v.string() }),
  serial: v.optional(v.string()),
  readonly: v.optional(v.string()),
  address: v.object({ '@unit': v.optional(v.pipe(v.string(), v.digits())) }),
});
const DomainDescription = v.object({
  domain: v.object({ devices: v.object({ disk: v.optional(v.array(Disk), []) }) }),
});
const Capabilities = v.object({
  capabilities: v.object({
    host: v.object({
      secmodel: v.optional(
        v.array(
          v.object({
            model: v.string(),
            baselabel: v.optional(v.array(v.object({ '#text': v.string() })), []),
          }),
        ),
        [],
      ),
    }),
  }),
});
