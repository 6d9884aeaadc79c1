import * as v from 'valibot';
import { Limits } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import { parseInput } from '../input.ts';
import { cpuLimit, DEFAULT_PERIOD, memoryLimit } from '../containers/limits.ts';

const count = v.nullish(v.pipe(v.number(), v.safeInteger()));
const text = v.nullish(v.pipe(v.string(), v.maxLength(4096)));

/** The limits among the fields of a HostConfig. Clients send null, 0 and "" for what was not asked. */
export const HOST_LIMITS = {
  Memory: count,
  MemoryReservation: count,
  /** Memory and swap together; -1 is no limit. */
  MemorySwap: count,
  NanoCpus: count,
  CpuQuota: count,
  CpuPeriod: count,
  CpuShares: count,
  CpusetCpus: text,
  CpusetMems: text,
  PidsLimit: count,
  BlkioWeight: count,
};
type HostLimits = v.InferOutput<v.ObjectSchema<typeof HOST_LIMITS, undefined>>;

/**
 * @param existing what a container has that is to be changed
 * @throws NestError `invalid-input`, in the words of Docker's engine where it has some.
 */
export function limitsOf(host: HostLimits, existing: Limits = {}): Limits {
  const limits = {
    ...group('memory', {
      limit: host.Memory,
      reservation: host.MemoryReservation,
      swap: host.MemorySwap,
    }),
    ...group('cpu', {
      ...cpuTime(host),
      shares: host.CpuShares && Math.min(Math.max(host.CpuShares, LEAST_SHARES), MOST_SHARES),
      cpus: host.CpusetCpus,
      mems: host.CpusetMems,
    }),
    ...group('pids', { limit: host.PidsLimit && Math.max(host.PidsLimit, -1) }),
    ...group('blockIO', { weight: host.BlkioWeight }),
  };
  const problem = contradiction(host, existing);
  if (problem !== undefined)
    throw new NestError('invalid-input', `HostConfig.${problem[0]}: ${problem[1]}`, problem[2]);
  return parseInput(Limits, limits, 'HostConfig', 'limits');
}

/** As GET /containers/{id}/json shows them. */
export function hostLimits(limits: Limits): Record<string, unknown> {
  const { memory, cpu, pids, blockIO } = limits;
  return {
    Memory: memoryLimit(limits) ?? 0,
    MemoryReservation: memory?.reservation ?? 0,
    MemorySwap: memory?.swap ?? 0,
    NanoCpus: Math.round((cpuLimit(limits) ?? 0) * 1e9),
    CpuShares: cpu?.shares ?? 0,
    CpusetCpus: cpu?.cpus ?? '',
    CpusetMems: cpu?.mems ?? '',
    PidsLimit: pids?.limit ?? null,
    BlkioWeight: blockIO?.weight ?? 0,
  };
}

/** What was not asked is left out, and so is a group of nothing. */
function group(name: keyof Limits, fields: Record<string, number | string | null | undefined>): object {
  const asked = Object.entries(fields).filter(
    ([, value]) => value !== undefined && value !== null && value !== 0 && value !== '',
  );
  return asked.length === 0 ? {} : { [name]: Object.fromEntries(asked) };
}

function cpuTime({ NanoCpus, CpuQuota, CpuPeriod }: HostLimits) {
  if (!NanoCpus) return { quota: CpuQuota, period: CpuPeriod };
  return { quota: Math.max(Math.round((NanoCpus / 1e9) * DEFAULT_PERIOD), LEAST_QUOTA), period: DEFAULT_PERIOD };
}

type Problem = [field: string, reason: string, options?: { hint: string }];

function contradiction(host: HostLimits, existing: Limits): Problem | undefined {
  const { Memory, MemoryReservation, MemorySwap, NanoCpus, CpuQuota, CpuPeriod, BlkioWeight } = host;
  const memory = Memory || (memoryLimit(existing) ?? 0);
  const swap = MemorySwap ?? 0;
  if (memory > 0 && memory < LEAST_MEMORY)
    return ['Memory', 'Minimum memory limit allowed is 6MB', { hint: 'ask for 6 MB or more: -m 6m' }];
  if (swap > 0 && memory <= 0)
    return ['MemorySwap', 'You should always set the Memory limit when using Memoryswap limit, see usage'];
  if (swap > 0 && swap < memory)
    return ['MemorySwap', 'Minimum memoryswap limit should be larger than memory limit, see usage'];
  if (memory > 0 && (MemoryReservation ?? 0) > memory)
    return ['MemoryReservation', 'Minimum memory limit can not be less than memory reservation limit, see usage'];
  if (NanoCpus && (CpuQuota || CpuPeriod))
    return ['NanoCpus', 'Conflicting options: Nano CPUs and CPU Period or Quota cannot both be set'];
  if (NanoCpus && NanoCpus < 0) return ['NanoCpus', 'a number of CPUs is positive'];
  if (BlkioWeight && (BlkioWeight < 10 || BlkioWeight > 1000))
    return ['BlkioWeight', 'Range of blkio weight is from 10 to 1000'];
  return undefined;
}

const LEAST_MEMORY = 6 * 1024 * 1024;
/** Microseconds; the kernel takes no less. */
const LEAST_QUOTA = 1000;
const LEAST_SHARES = 2;
const MOST_SHARES = 262_144;
