import { readdir, readFile } from 'node:fs/promises';

/** Milliseconds that each thread of a process has waited for a processor so far, by thread id. */
export type Waits = ReadonlyMap<string, number>;

/** From /proc/PID/task/TID/schedstat (the kernel's Documentation/scheduler/sched-stats.rst). Empty where nobody can tell. */
export async function readWaits(pid: number): Promise<Waits> {
  const folder = `/proc/${pid}/task`;
  const waits = new Map<string, number>();
  for (const thread of await readdir(folder).catch(() => [])) {
    const text = await readFile(`${folder}/${thread}/schedstat`, 'utf8').catch(() => undefined);
    if (text !== undefined) waits.set(thread, Number(text.split(' ')[1]) / 1e6);
  }
  return waits;
}

/** How long the thread waited that waited longest in between, milliseconds: so long its process could not do its work. */
export function starvedFor(before: Waits, after: Waits): number {
  let longest = 0;
  for (const [thread, waited] of after) longest = Math.max(longest, waited - (before.get(thread) ?? waited));
  return longest;
}
