import { capabilityMask } from '../security/capability-names.ts';
import { installable, type SeccompFilter } from '../security/seccomp/filter.ts';
import type { CapabilitySets, ProcessInit, ProcessOptions } from '../zygote/protocol.ts';
import type { Process } from './config.ts';

/** What a process of the configuration is to `becomeProcess`, all but its streams and its cgroup. */
export function processInit(
  process: Process,
  seccomp: SeccompFilter | null | undefined,
): Omit<ProcessInit, 'stdio' | 'cgroup'> {
  const { user } = process;
  return {
    argv: process.args,
    env: withHome(process),
    cwd: process.cwd,
    uid: user.uid,
    gid: user.gid,
    groups: user.additionalGids ?? [],
    capabilities: capabilitySets(process),
    noNewPrivileges: process.noNewPrivileges ?? false,
    seccomp: seccomp ? installable(seccomp) : null,
    options: options(process),
  };
}

/** A configuration without a word about capabilities gives none. */
function capabilitySets({ capabilities }: Process): CapabilitySets {
  const set = (names: string[] | null | undefined) => capabilityMask(names ?? []);
  return {
    bounding: set(capabilities?.bounding),
    effective: set(capabilities?.effective),
    permitted: set(capabilities?.permitted),
    inheritable: set(capabilities?.inheritable),
    ambient: set(capabilities?.ambient),
  };
}

function options({ user, rlimits, scheduler, ioPriority }: Process): ProcessOptions {
  return {
    ...(user.umask != null && { umask: user.umask }),
    ...(rlimits?.length && {
      rlimits: rlimits.map(({ type, soft, hard }) => ({
        resource: RLIMITS[type],
        soft: limitOf(soft),
        hard: limitOf(hard),
      })),
    }),
    ...(scheduler && { scheduler: schedulerAttributes(scheduler).toString('base64') }),
    ...(ioPriority && { ioPriority: IO_CLASSES[ioPriority.class] * 2 ** 13 + ioPriority.priority }),
  };
}

/** struct sched_attr {u32 size, policy; u64 flags; s32 nice; u32 priority; u64 runtime, deadline, period}: sched_setattr(2) */
function schedulerAttributes(scheduler: NonNullable<Process['scheduler']>): Buffer {
  const attributes = Buffer.alloc(48);
  attributes.writeUInt32LE(attributes.length, 0);
  attributes.writeUInt32LE(POLICIES[scheduler.policy], 4);
  const flags = (scheduler.flags ?? []).reduce((bits, name) => bits | SCHEDULER_FLAGS[name], 0);
  attributes.writeBigUInt64LE(BigInt(flags), 8);
  attributes.writeInt32LE(scheduler.nice ?? 0, 16);
  attributes.writeUInt32LE(scheduler.priority ?? 0, 20);
  attributes.writeBigUInt64LE(BigInt(scheduler.runtime ?? 0), 24);
  attributes.writeBigUInt64LE(BigInt(scheduler.deadline ?? 0), 32);
  attributes.writeBigUInt64LE(BigInt(scheduler.period ?? 0), 40);
  return attributes;
}

/** RLIM_INFINITY is 2⁶⁴ - 1, which a JSON number does not hold exactly. */
const limitOf = (value: number) => (value >= 2 ** 53 ? -1 : value);

/** As other runtimes do: a program finds its home even where the configuration forgot it. */
const withHome = ({ env, user }: Process) => {
  const entries = env ?? [];
  return entries.some((entry) => entry.startsWith('HOME='))
    ? entries
    : [...entries, `HOME=${user.uid === 0 ? '/root' : '/'}`];
};

/** include/uapi/asm-generic/resource.h */
const RLIMITS = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
};
/** include/uapi/linux/sched.h */
const POLICIES = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_ISO: 4,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
};
const SCHEDULER_FLAGS = {
  SCHED_FLAG_RESET_ON_FORK: 0x01,
  SCHED_FLAG_RECLAIM: 0x02,
  SCHED_FLAG_DL_OVERRUN: 0x04,
  SCHED_FLAG_KEEP_POLICY: 0x08,
  SCHED_FLAG_KEEP_PARAMS: 0x10,
  SCHED_FLAG_UTIL_CLAMP_MIN: 0x20,
  SCHED_FLAG_UTIL_CLAMP_MAX: 0x40,
};
/** include/uapi/linux/ioprio.h */
const IO_CLASSES = { IOPRIO_CLASS_RT: 1, IOPRIO_CLASS_BE: 2, IOPRIO_CLASS_IDLE: 3 };
