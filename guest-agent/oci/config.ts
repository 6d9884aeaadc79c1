import * as v from 'valibot';
import { refuseNotify, SeccompFilter } from '../security/seccomp/filter.ts';
import { CAPABILITIES } from '../security/capability-names.ts';
import { problems } from './problems.ts';

/**
 * config.json of a bundle: OCI runtime specification 1.2, config.md and config-linux.md. Fields that are not known are
 * left alone, as the specification asks; those that ask for what this runtime cannot do are refused in `unsupported`.
 */
const text = v.pipe(v.string(), v.regex(/^[^\0]*$/, 'holds a NUL byte'));
const path = v.pipe(text, v.minLength(1), v.maxLength(4095));
const absolutePath = v.pipe(path, v.startsWith('/', 'not an absolute path'));
const integer = v.pipe(v.number(), v.integer());
const count = v.pipe(integer, v.minValue(0));
const u32 = v.pipe(count, v.maxValue(0xffffffff));
/** JSON numbers up to 2⁶⁴ lose digits; RLIM_INFINITY and its like are still meant by the largest. */
const u64 = v.pipe(v.number(), v.minValue(0));
const list = <S extends v.GenericSchema>(schema: S) => v.nullish(v.array(schema));
const capability = v.picklist(
  CAPABILITIES.map((name) => `CAP_${name}`),
  'not a capability of Linux',
);

const Rlimit = v.object({
  type: v.picklist(
    [
      'RLIMIT_CPU',
      'RLIMIT_FSIZE',
      'RLIMIT_DATA',
      'RLIMIT_STACK',
      'RLIMIT_CORE',
      'RLIMIT_RSS',
      'RLIMIT_NPROC',
      'RLIMIT_NOFILE',
      'RLIMIT_MEMLOCK',
      'RLIMIT_AS',
      'RLIMIT_LOCKS',
      'RLIMIT_SIGPENDING',
      'RLIMIT_MSGQUEUE',
      'RLIMIT_NICE',
      'RLIMIT_RTPRIO',
      'RLIMIT_RTTIME',
    ],
    'not a resource limit of Linux',
  ),
  soft: u64,
  hard: u64,
});

/** Of the container's first process, and what `exec --process` reads. */
export const Process = v.object({
  terminal: v.nullish(v.boolean()),
  consoleSize: v.nullish(v.object({ height: u32, width: u32 })),
  cwd: absolutePath,
  env: list(v.pipe(text, v.regex(/^[^=]+=/, 'not NAME=VALUE'))),
  args: v.pipe(v.array(text), v.minLength(1)),
  commandLine: v.nullish(text),
  rlimits: list(Rlimit),
  apparmorProfile: v.nullish(text),
  selinuxLabel: v.nullish(text),
  capabilities: v.nullish(
    v.object({
      effective: list(capability),
      bounding: list(capability),
      inheritable: list(capability),
      permitted: list(capability),
      ambient: list(capability),
    }),
  ),
  noNewPrivileges: v.nullish(v.boolean()),
  oomScoreAdj: v.nullish(v.pipe(integer, v.minValue(-1000), v.maxValue(1000))),
  scheduler: v.nullish(
    v.object({
      policy: v.picklist([
        'SCHED_OTHER',
        'SCHED_FIFO',
        'SCHED_RR',
        'SCHED_BATCH',
        'SCHED_ISO',
        'SCHED_IDLE',
        'SCHED_DEADLINE',
      ]),
      nice: v.nullish(v.pipe(integer, v.minValue(-20), v.maxValue(19))),
      priority: v.nullish(u32),
      flags: list(
        v.picklist([
          'SCHED_FLAG_RESET_ON_FORK',
          'SCHED_FLAG_RECLAIM',
          'SCHED_FLAG_DL_OVERRUN',
          'SCHED_FLAG_KEEP_POLICY',
          'SCHED_FLAG_KEEP_PARAMS',
          'SCHED_FLAG_UTIL_CLAMP_MIN',
          'SCHED_FLAG_UTIL_CLAMP_MAX',
        ]),
      ),
      runtime: v.nullish(count),
      deadline: v.nullish(count),
      period: v.nullish(count),
    }),
  ),
  ioPriority: v.nullish(
    v.object({
      class: v.picklist(['IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE']),
      priority: v.pipe(count, v.maxValue(7)),
    }),
  ),
  user: v.object({
    uid: u32,
    gid: u32,
    umask: v.nullish(v.pipe(count, v.maxValue(0o777))),
    additionalGids: list(u32),
  }),
});
export type Process = v.InferOutput<typeof Process>;

const IdMap = v.object({ containerID: u32, hostID: u32, size: v.pipe(u32, v.minValue(1)) });

export const Mount = v.object({
  destination: path,
  source: v.nullish(text),
  type: v.nullish(text),
  options: list(text),
  uidMappings: list(IdMap),
  gidMappings: list(IdMap),
});
export type Mount = v.InferOutput<typeof Mount>;

const Hook = v.object({
  path: absolutePath,
  args: list(text),
  env: list(text),
  /** Seconds. */
  timeout: v.nullish(v.pipe(integer, v.minValue(1))),
});
export type Hook = v.InferOutput<typeof Hook>;

const Device = v.object({
  type: v.picklist(['c', 'b', 'u', 'p'], 'not a type of device: c, b, u or p'),
  path: absolutePath,
  major: v.nullish(u32),
  minor: v.nullish(u32),
  fileMode: v.nullish(v.pipe(count, v.maxValue(0o7777))),
  uid: v.nullish(u32),
  gid: v.nullish(u32),
});

const DeviceRule = v.object({
  allow: v.boolean(),
  type: v.nullish(v.picklist(['a', 'c', 'b', ''])),
  /** -1 is all, as older generators write it. */
  major: v.nullish(v.pipe(integer, v.minValue(-1))),
  minor: v.nullish(v.pipe(integer, v.minValue(-1))),
  access: v.nullish(v.pipe(v.string(), v.regex(/^[rwm]*$/))),
});

export const Resources = v.object({
  devices: list(DeviceRule),
  memory: v.nullish(
    v.object({
      limit: v.nullish(integer),
      reservation: v.nullish(integer),
      swap: v.nullish(integer),
      kernel: v.nullish(integer),
      kernelTCP: v.nullish(integer),
      swappiness: v.nullish(count),
      disableOOMKiller: v.nullish(v.boolean()),
      useHierarchy: v.nullish(v.boolean()),
      checkBeforeUpdate: v.nullish(v.boolean()),
    }),
  ),
  cpu: v.nullish(
    v.object({
      shares: v.nullish(count),
      quota: v.nullish(integer),
      burst: v.nullish(count),
      period: v.nullish(count),
      realtimeRuntime: v.nullish(integer),
      realtimePeriod: v.nullish(count),
      cpus: v.nullish(text),
      mems: v.nullish(text),
      idle: v.nullish(integer),
    }),
  ),
  pids: v.nullish(v.object({ limit: integer })),
  blockIO: v.nullish(
    v.object({
      weight: v.nullish(count),
      leafWeight: v.nullish(count),
      weightDevice: list(
        v.object({ major: count, minor: count, weight: v.nullish(count), leafWeight: v.nullish(count) }),
      ),
      throttleReadBpsDevice: list(v.object({ major: count, minor: count, rate: u64 })),
      throttleWriteBpsDevice: list(v.object({ major: count, minor: count, rate: u64 })),
      throttleReadIOPSDevice: list(v.object({ major: count, minor: count, rate: u64 })),
      throttleWriteIOPSDevice: list(v.object({ major: count, minor: count, rate: u64 })),
    }),
  ),
  hugepageLimits: list(v.object({ pageSize: v.pipe(text, v.regex(/^[1-9][0-9]*[KMG]B$/)), limit: u64 })),
  network: v.nullish(v.object({ classID: v.nullish(u32), priorities: list(v.unknown()) })),
  rdma: v.nullish(v.record(text, v.object({ hcaHandles: v.nullish(u32), hcaObjects: v.nullish(u32) }))),
  unified: v.nullish(v.record(v.pipe(text, v.regex(/^[a-z_]+\.[A-Za-z0-9_.]+$/, 'not a file of cgroup v2')), text)),
});
export type Resources = v.InferOutput<typeof Resources>;

const NAMESPACES = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'] as const;
export type NamespaceType = (typeof NAMESPACES)[number];

const Linux = v.object({
  namespaces: list(v.object({ type: v.picklist(NAMESPACES, 'not a namespace of Linux'), path: v.nullish(text) })),
  uidMappings: list(IdMap),
  gidMappings: list(IdMap),
  timeOffsets: v.nullish(
    v.object({
      monotonic: v.nullish(v.object({ secs: v.nullish(integer), nanosecs: v.nullish(u32) })),
      boottime: v.nullish(v.object({ secs: v.nullish(integer), nanosecs: v.nullish(u32) })),
    }),
  ),
  devices: list(Device),
  cgroupsPath: v.nullish(text),
  resources: v.nullish(Resources),
  rootfsPropagation: v.nullish(
    v.picklist(['', 'private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared', 'unbindable', 'runbindable']),
  ),
  seccomp: v.nullish(SeccompFilter),
  sysctl: v.nullish(v.record(v.pipe(text, v.regex(/^[A-Za-z0-9_./*-]+$/)), text)),
  maskedPaths: list(absolutePath),
  readonlyPaths: list(absolutePath),
  mountLabel: v.nullish(text),
  intelRdt: v.nullish(v.unknown()),
  personality: v.nullish(v.object({ domain: v.picklist(['LINUX', 'LINUX32']), flags: v.nullish(v.array(text)) })),
});

export const Config = v.object({
  ociVersion: v.pipe(text, v.regex(/^1\./, 'not a version 1 of the specification')),
  root: v.object({ path, readonly: v.nullish(v.boolean()) }),
  mounts: list(Mount),
  process: v.nullish(Process),
  hostname: v.nullish(v.pipe(text, v.maxLength(64))),
  domainname: v.nullish(v.pipe(text, v.maxLength(64))),
  hooks: v.nullish(
    v.object({
      prestart: list(Hook),
      createRuntime: list(Hook),
      createContainer: list(Hook),
      startContainer: list(Hook),
      poststart: list(Hook),
      poststop: list(Hook),
    }),
  ),
  annotations: v.nullish(v.record(text, text)),
  linux: v.nullish(Linux),
});
export type Config = v.InferOutput<typeof Config>;

/** The configuration of that text. @throws Problems: all that is wrong with it, with the path of each field */
export function parseConfig(json: unknown): Config {
  const config = problems.parse(Config, json, 'config.json');
  problems.refuse('config.json', unsupported(config));
  return config;
}

/** What is well-formed but cannot be done here; an option of security that is silently dropped is worse than an error. */
function unsupported({ process, linux, mounts }: Config): string[] {
  const types = (linux?.namespaces ?? []).map(({ type }) => type);
  const has = (type: NamespaceType) => types.includes(type);
  const joinsUser = linux?.namespaces?.some(({ type, path }) => type === 'user' && path);
  const maps = [...(linux?.uidMappings ?? []), ...(linux?.gidMappings ?? [])];
  return [
    ...types.filter((type, index) => types.indexOf(type) !== index).map((type) => `linux.namespaces: ${type} twice`),
    ...(has('mount') ? [] : ['linux.namespaces: no mount namespace, so the root cannot be changed']),
    ...(has('user') && !joinsUser && (!linux?.uidMappings?.length || !linux.gidMappings?.length)
      ? ['linux.uidMappings, linux.gidMappings: a user namespace needs both']
      : []),
    ...(maps.length > 0 && !has('user') ? ['linux.uidMappings: no user namespace'] : []),
    ...(linux?.timeOffsets && !has('time') ? ['linux.timeOffsets: no time namespace'] : []),
    ...(linux?.intelRdt ? ['linux.intelRdt: guests have no resource director'] : []),
    ...(linux?.mountLabel ? ['linux.mountLabel: guests have no SELinux'] : []),
    ...(process?.selinuxLabel ? ['process.selinuxLabel: guests have no SELinux'] : []),
    ...(process?.apparmorProfile && process.apparmorProfile !== 'unconfined'
      ? ['process.apparmorProfile: guests have no AppArmor']
      : []),
    ...(process?.scheduler?.policy === 'SCHED_ISO' ? ['process.scheduler.policy: SCHED_ISO is not in Linux'] : []),
    ...(linux?.seccomp ? refuseNotify(linux.seccomp).map((problem) => `linux.seccomp: ${problem}`) : []),
    ...(linux?.personality?.flags?.length ? ['linux.personality.flags: the specification defines none'] : []),
    ...(mounts ?? []).flatMap(({ uidMappings, gidMappings }, index) =>
      Boolean(uidMappings?.length) === Boolean(gidMappings?.length)
        ? []
        : [`mounts.${index}: uidMappings and gidMappings go together`],
    ),
    ...Object.keys(linux?.sysctl ?? {}).flatMap((name) => refuseSysctl(name, has)),
  ];
}

/** What is not of a namespace would change the guest for all its containers. */
function refuseSysctl(name: string, has: (type: NamespaceType) => boolean): string[] {
  const key = name.replaceAll('/', '.');
  const type: NamespaceType | undefined = /^net\./.test(key)
    ? 'network'
    : /^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)$|fs\.mqueue\.)/.test(key)
      ? 'ipc'
      : /^kernel\.domainname$/.test(key)
        ? 'uts'
        : undefined;
  if (type === undefined) return [`linux.sysctl.${name}: of the whole guest, not of a container`];
  return has(type) ? [] : [`linux.sysctl.${name}: needs a ${type} namespace`];
}
