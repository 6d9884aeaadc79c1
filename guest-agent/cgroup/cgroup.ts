import { mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { linux, type Sys } from '../sys/sys.ts';
import { waitForEvent } from './events.ts';
import { containersMemory } from './memory.ts';

/** Where cgroup v2 is mounted. */
const MOUNT = '/sys/fs/cgroup';

/**
 * At each start of the agent: the cgroup that holds those of all containers, with the controllers that every container has
 * and a limit of what they take together.
 *
 * @param memory bytes of the guest
 */
export function prepareCgroups(mount = MOUNT, memory = os.totalmem()): string {
  const nest = join(mount, 'nest');
  for (const folder of [mount, nest]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'cgroup.subtree_control'), '+cpu +memory +pids +io');
  }
  writeFileSync(join(nest, 'memory.max'), String(containersMemory(memory)));
  return nest;
}

/**
 * A container's cgroup: the one that exists, if it does. One whose process is killed for want of memory ends as a whole, also
 * without a limit of its own: what it wrote to a tmpfs would stay.
 */
export function createCgroup(name: string, mount = MOUNT): string {
  const folder = join(mount, 'nest', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'memory.oom.group'), '1');
  return folder;
}

/** Folders of all that were created and not removed. */
export function listCgroups(mount = MOUNT): string[] {
  const parent = join(mount, 'nest');
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(parent, entry.name));
}

/** Kills every process in the cgroup, also one that forks as fast as it can. A cgroup that is gone has none. */
export function killCgroup(folder: string): void {
  unlessGone(() => writeFileSync(join(folder, 'cgroup.kill'), '1', { flag: 'r+' }));
}

/**
 * Removes the cgroup with those inside it, and kills the processes that they still have: they are gone well within a
 * millisecond, and this thread waits for it. A cgroup that is gone was removed.
 *
 * @throws EBUSY after REMOVE_TIME_LIMIT: look at cgroup.procs, a process hangs in the kernel
 */
export function removeCgroup(folder: string, sys: Sys = linux): void {
  try {
    unlessGone(() => rmdirSync(folder));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
    killCgroup(folder);
    waitForEvent(sys, folder, 'populated 0', REMOVE_TIME_LIMIT);
    for (const inner of readdirSync(folder, { withFileTypes: true }))
      if (inner.isDirectory()) removeCgroup(join(folder, inner.name), sys);
    unlessGone(() => rmdirSync(folder));
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
