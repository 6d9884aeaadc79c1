import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pressure } from '../wire/stats.ts';
import { nestedKeys } from './keys.ts';

/** How long tasks of the cgroup waited for a resource: Kernel documentation accounting/psi.rst. */
export function pressure(folder: string, resource: 'cpu' | 'memory' | 'io'): Pressure {
  const lines = new Map(nestedKeys(readFileSync(join(folder, `${resource}.pressure`), 'utf8')));
  const stall = (line: string) => ({ ...NONE, ...lines.get(line) });
  return { some: stall('some'), full: stall('full') };
}

const NONE = { avg10: 0, avg60: 0, avg300: 0, total: 0 };
