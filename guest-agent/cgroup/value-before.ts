import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What to write so that a file of a cgroup is again as it is now, after `value` was written to it. A value that begins with a
 * device or `default` changes the line of that key alone: cgroup-v2.rst, "Nested keyed".
 *
 * @returns undefined where that cannot be told, as of a file that is only written
 */
export function valueBefore(folder: string, file: string, value: string): string | undefined {
  const text = read(join(folder, file));
  if (text === undefined) return undefined;
  const key = /^(\d+:\d+|default) /.exec(value)?.[1];
  // An empty one, as of cpuset.cpus, is written as an empty line: a write of nothing is none.
  if (key === undefined) return text === '' ? '\n' : text;
  const line = text.split('\n').find((each) => each.startsWith(`${key} `));
  return line ?? (file in UNSET ? `${key} ${UNSET[file]}` : undefined);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** What takes a device's line away. */
const UNSET: Record<string, string> = {
  'io.max': 'rbps=max wbps=max riops=max wiops=max',
  'io.weight': 'default',
  'io.bfq.weight': 'default',
};
