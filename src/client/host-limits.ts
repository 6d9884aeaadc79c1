import { parseBytes, parseCpus } from './docker-values.ts';

/** Limits as the flags of LIMIT_FLAGS say them. */
export interface LimitOptions {
  memory?: string | undefined;
  'memory-reservation'?: string | undefined;
  'memory-swap'?: string | undefined;
  cpus?: string | undefined;
  'cpu-quota'?: number | undefined;
  'cpu-period'?: number | undefined;
  'cpu-shares'?: number | undefined;
  'cpuset-cpus'?: string | undefined;
  'cpuset-mems'?: string | undefined;
  'pids-limit'?: number | undefined;
  'blkio-weight'?: number | undefined;
}

/** Their fields of Docker's HostConfig; what was not asked is left out. Throws `invalid-input`. */
export function hostLimits(options: LimitOptions): Record<string, number | string> {
  const fields = {
    Memory: size(options.memory),
    MemoryReservation: size(options['memory-reservation']),
    MemorySwap: options['memory-swap'] === '-1' ? -1 : size(options['memory-swap']),
    NanoCpus: options.cpus === undefined ? undefined : parseCpus(options.cpus),
    CpuQuota: options['cpu-quota'],
    CpuPeriod: options['cpu-period'],
    CpuShares: options['cpu-shares'],
    CpusetCpus: options['cpuset-cpus'],
    CpusetMems: options['cpuset-mems'],
    PidsLimit: options['pids-limit'],
    BlkioWeight: options['blkio-weight'],
  };
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, number | string] => entry[1] !== undefined),
  );
}

const size = (text: string | undefined) => (text === undefined ? undefined : parseBytes(text));
