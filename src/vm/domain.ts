import { mkdir, writeFile } from 'node:fs/promises';
import { TRUNK_PORT } from '../../guest-agent/api.ts';
import type { BootFiles } from '../guest-image/guest-image.ts';
import type { DomainSpec } from '../libvirt/domain-xml.ts';
import { guestPaths } from '../paths.ts';
import { uriFile } from './adopt.ts';
import { makeDisk } from './disk.ts';
import type { Host } from './host.ts';
import type { GuestRecord, StoredGuest } from './record.ts';

/** What a guest's domain needs on disk. Files first, then the domain: files without a domain are known to be left over. */
export async function makeFiles(host: Host, id: string): Promise<void> {
  const files = guestPaths(host.paths, id);
  await mkdir(files.folder, { mode: host.owner ? 0o711 : 0o700 });
  await writeFile(uriFile(host.paths, id), host.libvirt.uri);
  await makeDisk(host.paths, files.disk, host.owner);
}

/** A guest as it is booted. Its clone differs in `ram` alone. */
export function domainSpec(host: Host, record: GuestRecord, boot: BootFiles): DomainSpec {
  const files = guestPaths(host.paths, record.id);
  return {
    name: record.domain,
    uuid: record.uuid,
    accelerator: record.accelerator,
    ...record.shape,
    kernel: boot.kernel,
    initrd: boot.initrd,
    commandLine: boot.commandLine,
    root: boot.root,
    agent: boot.agent,
    disk: files.disk,
    ram: { kind: 'own' },
    console: files.console,
    trunk: { port: TRUNK_PORT, socket: files.trunk },
    owner: host.owner,
    metadata: stored(host, record, 'starting'),
  };
}

export function stored(host: Host, record: GuestRecord, state: GuestRecord['state']): StoredGuest {
  return { instance: host.instance, guest: { ...record, state } };
}
