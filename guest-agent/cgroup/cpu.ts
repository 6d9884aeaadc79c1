import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Limits } from '../wire/limits.ts';
import { maximum, type Write } from './controller.ts';
import { flatKeys } from './keys.ts';

/** Kernel documentation admin-guide/cgroup-v2.rst, "CPU". */
export function limitCpu(write: Write, cpu: NonNullable<Limits['cpu']>): void {
  const { shares, quota, period, burst, idle } = cpu;
  // The kernel refuses a quota below the burst that it has.
  if (burst !== undefined) write('cpu.max.burst', '0');
  if (quota !== undefined || period !== undefined) write('cpu.max', `${maximum(quota ?? -1)} ${period ?? PERIOD}`);
  if (burst !== undefined && burst > 0) write('cpu.max.burst', String(burst));
  if (idle !== undefined) write('cpu.idle', String(idle));
  // An idle one has no weight, and the kernel refuses to give it one.
  if (shares !== undefined && idle !== 1) write('cpu.weight', String(weightOf(shares)));
}

/** Microseconds since the cgroup was made, and what its limit took. */
export function cpuUsage(folder: string) {
  const stat = flatKeys(readFileSync(join(folder, 'cpu.stat'), 'utf8'));
  return {
    usage: stat['usage_usec'] ?? 0,
    user: stat['user_usec'] ?? 0,
    system: stat['system_usec'] ?? 0,
    periods: stat['nr_periods'] ?? 0,
    throttledPeriods: stat['nr_throttled'] ?? 0,
    throttled: stat['throttled_usec'] ?? 0,
  };
}

/** Shares of cgroup v1 (2 to 262144) as a weight of v2 (1 to 10000), as other runtimes count. */
const weightOf = (shares: number) => 1 + Math.floor(((shares - 2) * 9999) / 262_142);

/** Microseconds. */
const PERIOD = 100_000;
