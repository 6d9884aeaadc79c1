import type { Limits } from '../wire/limits.ts';
import { enableController, type Write } from './controller.ts';

/** Kernel documentation admin-guide/cgroup-v2.rst, "Cpuset": the processors and memory nodes that may be used. */
export function limitCpuset(folder: string, write: Write, { cpus, mems }: NonNullable<Limits['cpu']>): void {
  if (cpus === undefined && mems === undefined) return;
  enableController(folder, 'cpuset');
  if (cpus !== undefined) write('cpuset.cpus', cpus);
  if (mems !== undefined) write('cpuset.mems', mems);
}
