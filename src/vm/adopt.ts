import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { removeAbandoned } from '../guest-image/work-folder.ts';
import type { DomainSummary } from '../libvirt/libvirt.ts';
import { readMetadata } from '../libvirt/metadata.ts';
import { guestPaths, type Paths } from '../paths.ts';
import { follow, QEMU_ENDED, stopped, type Host } from './host.ts';
import { domainName, domainPrefix, StoredGuest } from './record.ts';
import { removeFiles, removeGuest } from './remove.ts';

/** Brings what this engine knows in line with libvirt, and removes what an engine that was killed left half-made. */
export async function adoptGuests(host: Host): Promise<void> {
  for (const domain of await ownDomains(host)) await adoptDomain(host, domain);
  // Asked again: a clone that was half made is forgotten by libvirt when its QEMU has ended, be it a moment ago.
  const names = new Set((await ownDomains(host)).map(({ name }) => name));
  for (const guest of host.guests.values()) {
    const gone = !names.has(domainName(host.instance, guest.record.id));
    if (gone && guest.record.state !== 'starting') stopped(host, guest, 'its domain was removed');
  }
  await removeLeftOvers(host, names);
  await removeAbandoned(host.paths.templates);
}

async function ownDomains(host: Host): Promise<DomainSummary[]> {
  const prefix = domainPrefix(host.instance);
  return (await host.libvirt.list()).filter(({ name }) => name.startsWith(prefix));
}

async function adoptDomain(host: Host, domain: DomainSummary): Promise<void> {
  const parsed = v.safeParse(StoredGuest, await readMetadata(host.libvirt, domain.name));
  if (!parsed.success || parsed.output.instance !== host.instance) return;
  const { guest: record } = parsed.output;
  // The metadata names its domain, and not the other way round: it decides which files are deleted.
  if (domainName(host.instance, record.id) !== domain.name) return;
  const known = host.guests.get(record.id);
  if (known) {
    if (!domain.active && known.record.state !== 'starting') stopped(host, known, QEMU_ENDED);
  } else if (host.reserved.has(record.id)) return;
  else if (record.state === 'starting') await removeGuest(host, record.id);
  else if (domain.active)
    follow(host, { ...record, state: domain.state === 'paused' ? 'paused' : 'unreachable', reason: null });
  else if (record.state === 'stopped') follow(host, record);
  else stopped(host, follow(host, { ...record, state: 'unreachable' }), ENDED_UNSEEN);
}

/** Files of guests that have no domain, of this libvirt: another one's guests may be running. */
async function removeLeftOvers(host: Host, names: Set<string>): Promise<void> {
  for (const id of await readdir(host.paths.guests)) {
    if (!GUEST_ID.test(id) || names.has(domainName(host.instance, id))) continue;
    const uri = await readFile(uriFile(host.paths, id), 'utf8').catch(() => '');
    if (uri !== '' && uri !== host.libvirt.uri) continue;
    if (!host.guests.has(id) && !host.reserved.has(id)) await removeFiles(host.paths, id);
  }
}

/** Says which libvirt has the guest's domain. */
export function uriFile(paths: Paths, guestId: string): string {
  return path.join(guestPaths(paths, guestId).folder, 'libvirt-uri');
}

const ENDED_UNSEEN = 'it ended while no engine looked, as when the host restarts';
const GUEST_ID = /^[0-9a-f]{12}$/;
