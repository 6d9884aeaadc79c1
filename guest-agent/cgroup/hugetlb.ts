import type { Limits } from '../wire/limits.ts';
import { enableController, writeLimit } from './controller.ts';

/** Kernel documentation admin-guide/cgroup-v2.rst, "HugeTLB". */
export function limitHugepages(folder: string, limits: NonNullable<Limits['hugepageLimits']>): void {
  if (limits.length > 0) enableController(folder, 'hugetlb');
  for (const { pageSize, limit } of limits) writeLimit(folder, `hugetlb.${pageSize}.max`, String(limit));
}
