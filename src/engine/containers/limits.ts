import type { Limits } from '../../../guest-agent/api.ts';

/** Bytes that the container may take; undefined without a limit. */
export function memoryLimit({ memory }: Limits): number | undefined {
  return memory?.limit === -1 ? undefined : memory?.limit;
}

/** Cores that the container may take, e.g. 0.5; undefined without a limit. */
export function cpuLimit({ cpu }: Limits): number | undefined {
  if (cpu?.quota === undefined || cpu.quota === -1) return undefined;
  return cpu.quota / (cpu.period ?? DEFAULT_PERIOD);
}

/** Microseconds: cgroup v2 cpu.max, kernel docs. */
export const DEFAULT_PERIOD = 100_000;
