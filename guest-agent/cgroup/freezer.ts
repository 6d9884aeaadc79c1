import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linux, type Sys } from '../sys/sys.ts';
import { waitForEvent } from './events.ts';

/**
 * Stops every process of the cgroup where it is, also one that forks as fast as it can, and waits until they stand still.
 * Kernel documentation admin-guide/cgroup-v2.rst, "cgroup.freeze". Freezing a frozen cgroup succeeds.
 *
 * @returns false when some process did not come to a stand in time: one that hangs in the kernel holds still all the same
 */
export function freezeCgroup(folder: string, sys: Sys = linux): boolean {
  writeFileSync(join(folder, FREEZE), '1', { flag: 'r+' });
  return waitForEvent(sys, folder, 'frozen 1', FREEZE_TIME_LIMIT);
}

export function thawCgroup(folder: string): void {
  writeFileSync(join(folder, FREEZE), '0', { flag: 'r+' });
}

export const isFrozen = (folder: string) => readFileSync(join(folder, FREEZE), 'utf8').trim() === '1';

const FREEZE = 'cgroup.freeze';

/** Milliseconds. */
const FREEZE_TIME_LIMIT = 2_000;
