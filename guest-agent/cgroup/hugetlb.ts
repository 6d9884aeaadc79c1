import type { Limits } from '../wire/limits.ts';
import { enableController, type Write } from './controller.ts';

/** Kernel documentation admin-guide/cgroup-v2.rst, "HugeTLB". */
export function limitHugepages(folder: string, write: Write, limits: NonNullable<Limits['hugepageLimits']>): void {
  if (limits.length > 0) enableController(folder, 'hugetlb');
  for (const { pageSize, limit } of limits) write(`hugetlb.${pageSize}.max`, String(limit));
}
