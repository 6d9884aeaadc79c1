import { readlinkSync } from 'node:fs';
import { RuntimeError } from './errors.ts';

/**
 * `--preserve-fds N`: how many descriptors after the standard streams, which this process was given, its program gets.
 *
 * @throws RuntimeError for one that was not given
 */
export function preservedOf(flag: unknown): number {
  const count = Number(flag ?? 0);
  if (!Number.isInteger(count) || count < 0 || count > MOST)
    throw new RuntimeError(`--preserve-fds ${String(flag)}: not a number of descriptors`);
  for (let fd = FIRST; fd < FIRST + count; fd += 1)
    if (readlinkSync(`/proc/self/fd/${fd}`) === NODES_FIRST)
      throw new RuntimeError(`preserve descriptor ${fd}: not given`);
  return count;
}

const FIRST = 3;
const MOST = 1024;
/** What Node opens for itself first, so under the first number that was free. */
const NODES_FIRST = 'anon_inode:[eventpoll]';
