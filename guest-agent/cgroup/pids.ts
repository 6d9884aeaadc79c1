import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { maximum, type Write } from './controller.ts';

/** Kernel documentation admin-guide/cgroup-v2.rst, "PID". @param limit most processes and threads at one time, or -1 */
export function limitPids(write: Write, limit: number): void {
  write('pids.max', maximum(limit));
}

/** Processes and threads now, and their limit; 0 is none. */
export function pidsUsage(folder: string): { current: number; limit: number } {
  const read = (file: string) => readFileSync(join(folder, file), 'utf8').trim();
  const limit = read('pids.max');
  return { current: Number(read('pids.current')), limit: limit === 'max' ? 0 : Number(limit) };
}
