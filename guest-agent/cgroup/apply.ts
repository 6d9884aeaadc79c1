import type { Limits } from '../wire/limits.ts';
import { limitCpu } from './cpu.ts';
import { limitCpuset } from './cpuset.ts';
import { limitHugepages } from './hugetlb.ts';
import { limitIo } from './io.ts';
import { limitMemory } from './memory.ts';
import { limitPids } from './pids.ts';
import { writeUnified } from './unified.ts';

/**
 * Writes the limits that are asked for, and nothing else, into the files of the cgroup: at its birth or while it runs.
 *
 * @throws RequestError such as "write `0-63` to `cpuset.cpus`: ERANGE" for a value that this kernel does not take
 */
export function applyLimits(folder: string, limits: Limits): void {
  const { memory, cpu, pids, blockIO, hugepageLimits, unified } = limits;
  if (memory !== undefined) limitMemory(folder, memory);
  if (cpu !== undefined) limitCpu(folder, cpu);
  if (cpu !== undefined) limitCpuset(folder, cpu);
  if (pids !== undefined) limitPids(folder, pids.limit);
  if (blockIO !== undefined) limitIo(folder, blockIO);
  if (hugepageLimits !== undefined) limitHugepages(folder, hugepageLimits);
  if (unified !== undefined) writeUnified(folder, unified);
}
