import * as v from 'valibot';
import {
  CAPABILITIES,
  type Capability,
  type ContainerSpec,
  DEFAULT_CAPABILITIES,
  OWN_SYSCTL,
  RLIMITS,
} from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { CreateRequest } from '../containers/request.ts';
import { storageLimit } from './storage-options.ts';
import { parseSecurityOptions } from './security-options.ts';

const text = v.pipe(v.string(), v.maxLength(512 * 1024), v.regex(/^[^\0]*$/));
const integer = v.pipe(v.number(), v.integer());
const words = v.nullish(v.array(text));

/** The fields of HostConfig that say what a container may do and what it has besides its image. */
export const settingsFields = {
  CapAdd: words,
  CapDrop: words,
  SecurityOpt: words,
  ReadonlyRootfs: v.nullish(v.boolean()),
  Tmpfs: v.nullish(v.record(text, text)),
  Ulimits: v.nullish(v.array(v.object({ Name: text, Soft: integer, Hard: integer }))),
  Sysctls: v.nullish(v.record(text, text)),
  Init: v.nullish(v.boolean()),
  ShmSize: v.nullish(integer),
  Devices: v.nullish(
    v.array(v.object({ PathOnHost: text, PathInContainer: v.nullish(text), CgroupPermissions: v.nullish(text) })),
  ),
  GroupAdd: words,
  OomScoreAdj: v.nullish(integer),
  StorageOpt: v.nullish(v.record(text, text)),
  /** Height and width. */
  ConsoleSize: v.nullish(v.pipe(v.array(integer), v.maxLength(2))),
};
type HostConfig = v.InferOutput<v.ObjectSchema<typeof settingsFields, undefined>>;

/** What is not asked for is left out: an ordinary container has none of it. @throws NestError `invalid-input` */
export function containerSettings(
  host: HostConfig,
  body: { Tty?: boolean | null | undefined; Domainname?: string | null | undefined },
): CreateRequest['settings'] {
  const security = securityOf(host);
  const [rows = 0, columns = 0] = host.ConsoleSize ?? [];
  return {
    ...(Object.keys(security).length > 0 && { security }),
    ...(body.Domainname && { domainname: body.Domainname }),
    ...(host.GroupAdd?.length && { groups: host.GroupAdd }),
    ...(host.Ulimits?.length && { rlimits: host.Ulimits.map(rlimit) }),
    ...(host.Sysctls && Object.keys(host.Sysctls).length > 0 && { sysctls: checkSysctls(host.Sysctls) }),
    ...(host.Tmpfs && Object.keys(host.Tmpfs).length > 0 && { tmpfs: Object.entries(host.Tmpfs).map(tmpfs) }),
    ...(host.Devices?.length && { devices: host.Devices.map(device) }),
    ...(host.ShmSize && { shmSize: host.ShmSize }),
    ...(host.OomScoreAdj && { oomScoreAdj: host.OomScoreAdj }),
    ...(host.StorageOpt && Object.keys(host.StorageOpt).length > 0 && { storageLimit: storageLimit(host.StorageOpt) }),
    ...(host.Init === true && { init: true }),
    ...(body.Tty === true && { terminal: { columns, rows } }),
  };
}

function securityOf(host: HostConfig): NonNullable<ContainerSpec['security']> {
  const add = host.CapAdd ?? [];
  const drop = host.CapDrop ?? [];
  return {
    ...((add.length > 0 || drop.length > 0) && { capabilities: changedCapabilities(add, drop) }),
    ...parseSecurityOptions(host.SecurityOpt ?? []),
    ...(host.ReadonlyRootfs === true && { readonlyRoot: true }),
  };
}

/** Docker's rules: `ALL` on either side, drops before adds, names with or without CAP_ in any case. */
export function changedCapabilities(add: string[], drop: string[]): Capability[] {
  const [added, dropped] = [add, drop].map((names) => names.map(capabilityName)) as [string[], string[]];
  const base = added.includes('ALL') ? CAPABILITIES : dropped.includes('ALL') ? [] : DEFAULT_CAPABILITIES;
  const kept = added.includes('ALL') || !dropped.includes('ALL') ? base.filter((name) => !dropped.includes(name)) : [];
  return CAPABILITIES.filter((name) => kept.includes(name) || added.includes(name));
}

function capabilityName(text: string): string {
  const name = text.toUpperCase().replace(/^CAP_/, '');
  if (name === 'ALL' || (CAPABILITIES as readonly string[]).includes(name)) return name;
  throw new NestError('invalid-input', `invalid capability: \`${text}\``, {
    hint: 'capabilities(7) names them, such as NET_ADMIN',
  });
}

function rlimit({ Name, Soft, Hard }: { Name: string; Soft: number; Hard: number }) {
  const name = RLIMITS.find((known) => known === Name);
  if (name === undefined) throw new NestError('invalid-input', `invalid ulimit type: ${Name}`);
  if (Hard >= 0 && (Soft > Hard || Soft < 0))
    throw new NestError(
      'invalid-input',
      `ulimit ${Name}: soft limit must not be above the hard one: ${Soft} > ${Hard}`,
    );
  return { name, soft: Soft, hard: Hard };
}

function tmpfs([destination, options]: [string, string]) {
  return { destination, options: options === '' ? [] : options.split(',') };
}

function device({ PathOnHost, PathInContainer, CgroupPermissions }: NonNullable<HostConfig['Devices']>[number]) {
  return { source: PathOnHost, destination: PathInContainer || PathOnHost, access: CgroupPermissions || 'rwm' };
}

/** What is not of a namespace would change the guest for all its containers. */
function checkSysctls(sysctls: Record<string, string>): Record<string, string> {
  const refused = Object.keys(sysctls).filter((name) => !OWN_SYSCTL.test(name));
  if (refused.length === 0) return sysctls;
  throw new NestError('invalid-input', `sysctl ${refused.join(', ')}: not of a container, but of its whole guest`, {
    hint: "net.*, fs.mqueue.*, kernel.msg*, kernel.sem and kernel.shm* are a container's own",
  });
}
