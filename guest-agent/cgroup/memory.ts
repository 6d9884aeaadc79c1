import { readFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { invalid } from '../errors.ts';
import type { Limits } from '../wire/limits.ts';
import { maximum, type Write } from './controller.ts';
import { flatKeys } from './keys.ts';

/**
 * Kernel documentation admin-guide/cgroup-v2.rst, "Memory".
 *
 * A limit without a word about swap means none of it: swap would only delay the limit. The container ends as a whole when
 * the limit kills one of its processes: half a service is worse than a restarted one. So it stays without a limit.
 *
 * @throws RequestError for a `swap` that is not memory and swap together
 */
export function limitMemory(write: Write, { limit, reservation, swap }: NonNullable<Limits['memory']>): void {
  const swapMaximum = swapLimit(limit, swap);
  if (limit !== undefined) write('memory.max', maximum(limit));
  if (swapMaximum !== undefined) write('memory.swap.max', swapMaximum);
  if (limit !== undefined && limit !== -1) write('memory.oom.group', '1');
  if (reservation !== undefined) write('memory.low', maximum(reservation));
}

/**
 * What all containers may take together: where it ends the kernel ends one of them, as at a limit of its own. Without it the
 * guest's memory would end, and with files of a tmpfs, which belong to no process, the kernel would go on to agent and zygote.
 *
 * @param total bytes of the guest
 */
export const containersMemory = (total: number) => total - RESERVE - Math.ceil(total / RESERVE_SHARE);

/** How many processes the kernel killed in the cgroup for want of memory, be it the cgroup's own or all containers'. */
export function oomKillCount(folder: string): number {
  return flatKeys(readFileSync(join(folder, 'memory.events'), 'utf8'))['oom_kill'] ?? 0;
}

/** Bytes; without a limit it is the guest's memory. */
export function memoryUsage(folder: string) {
  const read = (file: string) => readFileSync(join(folder, file), 'utf8').trim();
  return {
    usage: Number(read('memory.current')),
    peak: Number(read('memory.peak')),
    limit: Math.min(Number(read('memory.max')) || os.totalmem(), os.totalmem()),
    swap: Number(read('memory.swap.current')),
    stat: flatKeys(read('memory.stat')),
    events: flatKeys(read('memory.events')),
  };
}

/** OCI counts memory and swap together, cgroup v2 counts swap alone. */
function swapLimit(limit: number | undefined, swap: number | undefined): string | undefined {
  if (swap === -1) return 'max';
  if (swap === undefined) return limit === undefined ? undefined : limit === -1 ? 'max' : '0';
  if (limit === undefined || limit === -1 || swap < limit)
    throw invalid(`limit memory: swap ${swap} counts memory and swap together, so it is at least the memory limit`);
  return String(swap - limit);
}

/**
 * Bytes for kernel, agent and zygote: in an idle guest 52 MiB that cannot be reclaimed and 54 MiB of programs' files that are
 * in use. With what the machine itself takes of a guest's memory it is less than src/placement/overhead.ts leaves.
 */
const RESERVE = 128 * 1024 * 1024;

/** What the kernel keeps free grows with the memory: vm.watermark_scale_factor, vm.min_free_kbytes. */
const RESERVE_SHARE = 256;
