import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Kernel documentation admin-guide/cgroup-v2.rst, "CPU". @param cpus cores, e.g. 0.5 */
export function limitCpu(folder: string, cpus: number | undefined): void {
  if (cpus === undefined) return;
  writeFileSync(join(folder, 'cpu.max'), `${Math.max(Math.round(cpus * PERIOD), SHORTEST_QUOTA)} ${PERIOD}`);
}

/** Microseconds. The kernel refuses a quota below 1 ms. */
const PERIOD = 100_000;
const SHORTEST_QUOTA = 1_000;
