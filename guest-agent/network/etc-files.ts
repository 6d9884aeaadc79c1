import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerSpec, Lookup } from '../api.ts';
import { baseFolder, type Folders } from '../folders.ts';
import { bindMount, type Mount } from '../rootfs/mount.ts';
import { MOUNT_ATTR_NODEV, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY } from '../sys/constants.ts';

/** Writes what a container finds names by: hosts(5), resolv.conf(5), hostname(5). @param folder its own */
export function writeEtcFiles(folder: string, spec: ContainerSpec, addresses: Record<string, string>): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  writeFileSync(join(folder, 'hostname'), `${spec.hostname}\n`);
  writeFileSync(join(folder, 'hosts'), hosts(spec, Object.values(addresses)));
  writeFileSync(join(folder, 'resolv.conf'), resolvConf(spec));
}

/** Puts them where programs look. The container may change them, and so may those that share its network. */
export function etcMounts(folder: string, readonly: boolean): Mount[] {
  const attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (readonly ? MOUNT_ATTR_RDONLY : 0);
  return ETC_FILES.map((name) => bindMount(join(folder, name), `/etc/${name}`, attributes));
}

/**
 * Makes the folder that is below every image, so that there is something to mount on: what a mount needs shows neither in
 * the container's changes nor in an image made of it.
 */
export function makeBase(folders: Folders): void {
  const etc = join(baseFolder(folders), 'etc');
  mkdirSync(etc, { recursive: true, mode: 0o755 });
  for (const name of ETC_FILES) writeFileSync(join(etc, name), '', { mode: 0o644 });
}

function hosts({ hostname, domainname, lookup }: ContainerSpec, addresses: string[]): string {
  const own = domainname ? `${hostname}.${domainname} ${hostname}` : hostname;
  return [
    ...LOCAL,
    ...(lookup?.hosts ?? []).map(({ name, address }) => `${address}\t${name}`),
    ...(addresses.length > 0 ? addresses : ['127.0.0.1']).map((address) => `${address}\t${own}`),
    '',
  ].join('\n');
}

/**
 * The networks' own resolvers first; what they know nothing of they refuse, and programs ask the next. Without any server
 * programs would ask 127.0.0.1, where nobody answers.
 */
function resolvConf({ network, lookup = NO_LOOKUP }: ContainerSpec): string {
  const attachments = network?.mode === 'bridge' ? network.attachments : [];
  const resolvers = attachments.filter(({ resolves }) => resolves).map(({ gateway }) => gateway);
  return [
    ...[...resolvers.slice(0, 1), ...lookup.servers].map((server) => `nameserver ${server}`),
    ...(lookup.search.length > 0 ? [`search ${lookup.search.join(' ')}`] : []),
    ...(lookup.options.length > 0 ? [`options ${lookup.options.join(' ')}`] : []),
    '',
  ].join('\n');
}

const NO_LOOKUP: Lookup = { hosts: [], servers: [], search: [], options: [] };
export const ETC_FILES = ['hosts', 'hostname', 'resolv.conf'];
const LOCAL = ['127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost ip6-loopback'];
