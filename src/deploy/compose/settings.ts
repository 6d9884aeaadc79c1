import { CAPABILITIES, OWN_SYSCTL, RLIMITS } from '../../../guest-agent/api.ts';
import type { Settings, Ulimit } from '../model.ts';
import { parseAbsolutePath } from './names.ts';
import { lookupKeys } from './lookup.ts';
import { Invalid, quoted } from './problems.ts';
import { parseBytes, parseStorage } from './quantities.ts';
import { either, fields, list, scalar, type Fields, type Reader } from './read.ts';
import { assignmentsReader } from './variables.ts';

/** What the keys of `settingKeys` say. */
export function settingsOf(read: Fields<typeof settingKeys>): Settings {
  return {
    ...(read.tty && { tty: true }),
    ...(read.stdin_open && { stdin: true }),
    ...(read.read_only && { readonlyRoot: true }),
    ...(read.init && { init: true }),
    ...(read.cap_add && { capabilitiesAdded: read.cap_add }),
    ...(read.cap_drop && { capabilitiesDropped: read.cap_drop }),
    ...(read.security_opt && { securityOptions: read.security_opt }),
    ...(read.tmpfs && { tmpfs: Object.fromEntries(read.tmpfs) }),
    ...(read.ulimits && { ulimits: read.ulimits }),
    ...(read.sysctls && { sysctls: read.sysctls }),
    ...(read.shm_size && { shmSize: read.shm_size }),
    ...(read.oom_score_adj && { oomScoreAdj: read.oom_score_adj }),
    ...(read.storage_opt?.size !== undefined && { storageLimit: read.storage_opt.size }),
    ...(read.group_add && { groups: read.group_add }),
    ...(read.devices && { devices: read.devices }),
    ...(read.domainname !== undefined && { domainname: read.domainname }),
    ...(read.dns && { dns: read.dns }),
    ...(read.dns_search && { dnsSearch: read.dns_search }),
    ...(read.dns_opt && { dnsOptions: read.dns_opt }),
    ...(read.extra_hosts && { extraHosts: read.extra_hosts }),
  };
}

/** true or false, in the words of YAML 1.2. */
export function parseFlag(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new Invalid(`${quoted(text)} is neither true nor false`, 'write true or false');
}

/** A name of capabilities(7), with or without CAP_, or ALL. */
export function parseCapability(text: string): string {
  const name = text.toUpperCase().replace(/^CAP_/, '');
  if (name === 'ALL' || (CAPABILITIES as readonly string[]).includes(name)) return name;
  throw new Invalid(`${quoted(text)} is no capability`, 'capabilities(7) names them, such as NET_ADMIN');
}

/** Those that Docker knows and that mean something in a guest. */
export function parseSecurityOption(text: string): string {
  const option = text.replace(':', '=');
  if (SECURITY_OPTIONS.includes(option)) return option;
  if (/^seccomp=/.test(option))
    throw new Invalid('a seccomp profile in a file does not travel to the engine', 'write seccomp=unconfined, or none');
  throw new Invalid(`${quoted(text)} is no security option`, `those there are: ${SECURITY_OPTIONS.join(', ')}`);
}

/** `/run:size=64m,mode=1777` */
export function parseTmpfs(text: string): [destination: string, options: string] {
  const [, path = '', options = ''] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  const wrong = options.split(',').find((option) => !/^[A-Za-z0-9_=.%]{0,64}$/.test(option));
  if (wrong === undefined) return [parseAbsolutePath(path), options];
  throw new Invalid(`${quoted(wrong)} is no option of a tmpfs`, 'write some of size=, mode=, uid=, gid=, ro, exec');
}

/** `/dev/fuse`, `/dev/a:/dev/b:r`; devices of the guest. */
export function parseDevice(text: string): NonNullable<Settings['devices']>[number] {
  const match = /^(\/[^:]*)(?::(\/[^:]*))?(?::([rwm]{1,3}))?$/.exec(text);
  const [, source = '', path = source, access = 'rwm'] = match ?? [];
  if (match !== null) return { source, path, access };
  throw new Invalid(`${quoted(text)} is no device`, 'write PATH[:PATH][:rwm], such as /dev/fuse');
}

export function parseOomScore(text: string): number {
  if (/^-?\d{1,4}$/.test(text) && Math.abs(Number(text)) <= 1000) return Number(text);
  throw new Invalid(`${quoted(text)} is no OOM score`, 'write a number from -1000 to 1000');
}

export function parseGroup(text: string): string {
  if (/^[\w.-]{1,256}$/.test(text)) return text;
  throw new Invalid(`${quoted(text)} is no group`, 'write a name or a number');
}

function parsePrivileged(text: string): boolean {
  if (!parseFlag(text)) return false;
  throw new Invalid(
    'refused: a privileged container could take over its guest, with every container in it',
    'remove the key, and name what it needs with cap_add and devices',
  );
}

function parseSoftOrHard(text: string): number {
  if (/^(-1|\d{1,15})$/.test(text)) return Number(text);
  throw new Invalid(`${quoted(text)} is no limit`, 'write a number, or -1 for no limit');
}

const bothLimits = scalar('a number', (text) => ({ soft: parseSoftOrHard(text), hard: parseSoftOrHard(text) }));

const ulimit = either<Omit<Ulimit, 'name'>>({
  text: bothLimits,
  list: bothLimits,
  map: (value, problems) => {
    const read = fields({ soft: scalar('a number', parseSoftOrHard), hard: scalar('a number', parseSoftOrHard) })(
      value,
      problems,
    );
    if (read === undefined) return undefined;
    const { soft = read.hard, hard = read.soft } = read;
    if (soft === undefined || hard === undefined) {
      // One that is there and wrong has been reported.
      if (value.kind === 'map' && value.entries.size === 0)
        problems.report(value, 'has neither a soft nor a hard limit', 'write both, or one number for both');
      return undefined;
    }
    if (hard === -1 || (soft !== -1 && soft <= hard)) return { soft, hard };
    problems.report(value, `the soft limit ${soft} is above the hard one`, `write at most ${hard}`);
    return undefined;
  },
});

const ulimitsReader: Reader<Ulimit[]> = (value, problems) => {
  const read = fields(Object.fromEntries(RLIMITS.map((name) => [name, ulimit])))(value, problems);
  return read && RLIMITS.flatMap((name) => (read[name] === undefined ? [] : [{ name, ...read[name] }]));
};

const sysctlsReader = assignmentsReader((name) => {
  if (!OWN_SYSCTL.test(name))
    throw new Invalid(
      `${quoted(name)} is not of a container, but of its whole guest`,
      "net.*, fs.mqueue.*, kernel.msg*, kernel.sem and kernel.shm* are a container's own",
    );
});

const SECURITY_OPTIONS = [
  'no-new-privileges',
  'no-new-privileges=true',
  'no-new-privileges=false',
  'seccomp=unconfined',
  'apparmor=unconfined',
  'label=disable',
];

const flag = scalar('true or false', parseFlag);
const tmpfs = scalar('a path', parseTmpfs);
const oneTmpfs: Reader<[string, string][]> = (value, problems) => {
  const read = tmpfs(value, problems);
  return read && [read];
};

/** Keys of a service about what its container may do and has. */
export const settingKeys = {
  tty: flag,
  stdin_open: flag,
  read_only: flag,
  init: flag,
  privileged: scalar('true or false', parsePrivileged),
  cap_add: list(scalar('a capability', parseCapability)),
  cap_drop: list(scalar('a capability', parseCapability)),
  security_opt: list(scalar('an option', parseSecurityOption)),
  tmpfs: either({ text: oneTmpfs, list: list(tmpfs), map: oneTmpfs }),
  ulimits: ulimitsReader,
  sysctls: sysctlsReader,
  shm_size: scalar('a size', parseBytes),
  oom_score_adj: scalar('a number', parseOomScore),
  storage_opt: fields({ size: scalar('a size', parseStorage) }),
  group_add: list(scalar('a group', parseGroup)),
  devices: list(scalar('a device', parseDevice)),
  domainname: scalar('a name', parseDomainName),
  ...lookupKeys,
};

function parseDomainName(text: string): string {
  if (/^[A-Za-z0-9.-]{1,64}$/.test(text)) return text;
  throw new Invalid(`${quoted(text)} is no domain name`, 'use letters, digits, . and -, at most 64');
}
