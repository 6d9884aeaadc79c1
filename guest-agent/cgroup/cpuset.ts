import type { Limits } from '../wire/limits.ts';
import { enableController, writeLimit } from './controller.ts';

/** Kernel documentation admin-guide/cgroup-v2.rst, "Cpuset": the processors and memory nodes that may be used. */
export function limitCpuset(folder: string, { cpus, mems }: NonNullable<Limits['cpu']>): void {
  if (cpus === undefined && mems === undefined) return;
  enableController(folder, 'cpuset');
  if (cpus !== undefined) writeLimit(folder, 'cpuset.cpus', cpus);
  if (mems !== undefined) writeLimit(folder, 'cpuset.mems', mems);
}
