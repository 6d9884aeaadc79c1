/** nest's element in a domain's metadata: JSON as the text of one element in nest's own namespace. */
import { XMLParser } from 'fast-xml-parser';
import * as v from 'valibot';
import type { Libvirt } from './libvirt.ts';
import { xml, type Xml } from './xml.ts';

export function metadataElement(value: unknown): Xml {
  return xml`<nest:guest xmlns:nest="${NAMESPACE}">${JSON.stringify(value)}</nest:guest>`;
}

/** The value, undefined where the domain has none or is gone. Anyone who may use libvirt can write it: parse it. */
export async function readMetadata(libvirt: Libvirt, domain: string): Promise<unknown> {
  const element = await libvirt.metadata(domain, NAMESPACE);
  return element === undefined ? undefined : parseMetadata(element);
}

export async function writeMetadata(libvirt: Libvirt, domain: string, value: unknown): Promise<void> {
  const { markup } = xml`<guest>${JSON.stringify(value)}</guest>`;
  await libvirt.setMetadata(domain, { xml: markup, prefix: 'nest', uri: NAMESPACE });
}

function parseMetadata(element: string): unknown {
  const parsed = v.safeParse(Element, parser.parse(element));
  try {
    return parsed.success ? JSON.parse(parsed.output.guest) : undefined;
  } catch {
    return undefined;
  }
}

/** libvirt returns the element with or without its prefix. */
const parser = new XMLParser({ removeNSPrefix: true, parseTagValue: false });
const Element = v.object({
  guest: v.union([
    v.string(),
    v.pipe(
      v.object({ '#text': v.string() }),
      v.transform((e) => e['#text']),
    ),
  ]),
});
const NAMESPACE = 'urn:nest:guest';
