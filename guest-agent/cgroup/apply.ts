import { report } from '../errors.ts';
import type { Limits } from '../wire/limits.ts';
import { type Write, writeLimit } from './controller.ts';
import { limitCpu } from './cpu.ts';
import { limitCpuset } from './cpuset.ts';
import { limitHugepages } from './hugetlb.ts';
import { limitIo } from './io.ts';
import { limitMemory } from './memory.ts';
import { limitPids } from './pids.ts';
import { writeUnified } from './unified.ts';
import { valueBefore } from './value-before.ts';

/**
 * Writes the limits that are asked for, and nothing else, into the files of the cgroup: at its birth or while it runs. All of
 * them or none: before an error is told, what was written is as it was.
 *
 * @throws RequestError such as "write `0-63` to `cpuset.cpus`: ERANGE" for a value that this kernel does not take
 */
export function applyLimits(folder: string, limits: Limits): void {
  using undo = new DisposableStack();
  writeLimits(folder, limits, (file, value) => {
    const before = valueBefore(folder, file, value);
    writeLimit(folder, file, value);
    if (before !== undefined) undo.defer(() => restore(folder, file, before));
  });
  undo.move();
}

function writeLimits(folder: string, limits: Limits, write: Write): void {
  const { memory, cpu, pids, blockIO, hugepageLimits, unified } = limits;
  if (memory !== undefined) limitMemory(write, memory);
  if (cpu !== undefined) limitCpu(write, cpu);
  if (cpu !== undefined) limitCpuset(folder, write, cpu);
  if (pids !== undefined) limitPids(write, pids.limit);
  if (blockIO !== undefined) limitIo(folder, write, blockIO);
  if (hugepageLimits !== undefined) limitHugepages(folder, write, hugepageLimits);
  if (unified !== undefined) writeUnified(folder, write, unified);
}

/** The error of what could not be written is the one to be told. */
function restore(folder: string, file: string, value: string): void {
  try {
    writeLimit(folder, file, value);
  } catch (error) {
    report(`restore \`${file}\``, error);
  }
}
