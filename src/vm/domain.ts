import { mkdir, writeFile } from 'node:fs/promises';
import { TRUNK_PORT } from '../../guest-agent/api.ts';
import type { BootFiles } from '../guest-image/guest-image.ts';
import type { StockImage } from '../guest-image/stock-image.ts';
import type { DomainSpec, KernelBoot } from '../libvirt/domain-xml.ts';
import { guestPaths } from '../paths.ts';
import { uriFile } from './adopt.ts';
import { makeDisk, type DiskSource } from './disk.ts';
import type { Host } from './host.ts';
import type { GuestRecord, StoredGuest } from './record.ts';

/** What a guest's domain needs on disk. Files first, then the domain: files without a domain are known to be left over. */
export async function makeFiles(host: Host, id: string, disk: DiskSource = { quotas: true }): Promise<void> {
  const files = guestPaths(host.paths, id);
  await mkdir(files.folder, { mode: host.owner ? 0o711 : 0o700 });
  await writeFile(uriFile(host.paths, id), host.libvirt.uri);
  await makeDisk(host.paths, files.disk, { ...disk, owner: host.owner });
}

/** A guest as it is booted. Its clone differs in `ram` alone. */
export function domainSpec(host: Host, record: GuestRecord, from: BootFiles | StockImage): DomainSpec {
  const files = guestPaths(host.paths, record.id);
  return {
    name: record.domain,
    uuid: record.uuid,
    accelerator: record.accelerator,
    ...record.shape,
    boot:
      'kernel' in from ? kernelBoot(from) : { kind: 'disk', system: files.system, image: from.disk, seed: files.seed },
    disk: files.disk,
    ram: { kind: 'own' },
    console: files.console,
    trunk: { port: TRUNK_PORT, socket: files.trunk },
    owner: host.owner,
    metadata: stored(host, record, 'starting'),
  };
}

function kernelBoot({ kernel, initrd, commandLine, root, agent }: BootFiles): KernelBoot {
  return { kind: 'kernel', kernel, initrd, commandLine, root, agent };
}

export function stored(host: Host, record: GuestRecord, state: GuestRecord['state']): StoredGuest {
  return { instance: host.instance, guest: { ...record, state } };
}
