import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Kernel documentation admin-guide/cgroup-v2.rst, "Memory".
 *
 * @param memory bytes of memory.max. Swap would only delay the limit, so there is none. The container ends as a whole when
 *   the limit kills one of its processes: half a service is worse than a restarted one.
 */
export function limitMemory(folder: string, memory: number | undefined): void {
  if (memory === undefined) return;
  writeFileSync(join(folder, 'memory.max'), String(memory));
  writeFileSync(join(folder, 'memory.swap.max'), '0');
  writeFileSync(join(folder, 'memory.oom.group'), '1');
}

/** How many processes the kernel killed in the cgroup for want of memory. */
export function oomKillCount(folder: string): number {
  const events = readFileSync(join(folder, 'memory.events'), 'utf8');
  return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
}
