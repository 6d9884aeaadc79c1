import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Kernel documentation admin-guide/cgroup-v2.rst, "PID". @param pids most processes and threads at one time */
export function limitPids(folder: string, pids: number | undefined): void {
  if (pids !== undefined) writeFileSync(join(folder, 'pids.max'), String(pids));
}
