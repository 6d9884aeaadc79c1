import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Limits } from '../api.ts';
import { O_CLOEXEC, O_RDONLY, POLLPRI } from '../sys/constants.ts';
import { linux, type Sys } from '../sys/sys.ts';
import { limitCpu } from './cpu.ts';
import { limitMemory } from './memory.ts';
import { limitPids } from './pids.ts';

/** Where cgroup v2 is mounted. */
const MOUNT = '/sys/fs/cgroup';

/** Once per boot: the cgroup that holds those of all containers. */
export function prepareCgroups(mount = MOUNT): void {
  const nest = join(mount, 'nest');
  for (const folder of [mount, nest]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'cgroup.subtree_control'), '+cpu +memory +pids');
  }
}

/** The cgroup of a container, with its limits: the one that exists, if it does. */
export function createCgroup(id: string, limits: Limits, mount = MOUNT): string {
  const folder = join(mount, 'nest', id);
  mkdirSync(folder, { recursive: true });
  limitMemory(folder, limits.memory);
  limitCpu(folder, limits.cpus);
  limitPids(folder, limits.pids);
  return folder;
}

/** Kills every process in the cgroup, also one that forks as fast as it can. A cgroup that is gone has none. */
export function killCgroup(folder: string): void {
  unlessGone(() => writeFileSync(join(folder, 'cgroup.kill'), '1', { flag: 'r+' }));
}

/**
 * Removes the cgroup, and kills the processes that it still has: they are gone well within a millisecond, and this thread
 * waits for it. A cgroup that is gone was removed.
 *
 * @throws EBUSY after REMOVE_TIME_LIMIT: look at cgroup.procs, a process hangs in the kernel
 */
export function removeCgroup(folder: string, sys: Sys = linux): void {
  try {
    unlessGone(() => rmdirSync(folder));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
    killCgroup(folder);
    waitUntilEmpty(sys, folder);
    unlessGone(() => rmdirSync(folder));
  }
}

/** The kernel reports a changed cgroup.events as POLLPRI to those who have read it: cgroup-v2.rst, "[Un]populated". */
function waitUntilEmpty(sys: Sys, folder: string): void {
  const path = join(folder, 'cgroup.events');
  const fd = sys.open(path, O_RDONLY | O_CLOEXEC);
  const events = Buffer.alloc(128);
  try {
    sys.read(fd, events);
    if (events.includes('populated 1')) sys.poll(fd, POLLPRI, REMOVE_TIME_LIMIT);
  } finally {
    sys.close(fd);
  }
}

function unlessGone(action: () => void): void {
  try {
    action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Milliseconds. */
const REMOVE_TIME_LIMIT = 2_000;
