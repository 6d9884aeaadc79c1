import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { signalNumber } from '../container/signals.ts';
import { killCgroup } from '../cgroup/cgroup.ts';
import type { Call } from './arguments.ts';
import { RuntimeError } from './errors.ts';
import { find, statusOf } from './store.ts';

/** A signal by name, with or without SIG, or by number; SIGTERM by default. With --all every process gets it. */
export function kill({ options, flags, words }: Call): undefined {
  const container = find(options.root, words[0] ?? '');
  const signal = parseSignal(words[1] ?? 'SIGTERM');
  const all = flags['all'] === true;
  const status = statusOf(container);
  if (status === 'stopped' && !all) throw new RuntimeError(`kill container \`${container.id}\`: container not running`);
  if (all && signal === constants.signals.SIGKILL) killCgroup(container.cgroup);
  else if (all) for (const pid of processesOf(container.cgroup)) signalProcess(pid, signal);
  else signalProcess(container.pid, signal);
  return undefined;
}

/** As this process sees them. A cgroup that is gone has none. */
export function processesOf(cgroup: string): number[] {
  try {
    return readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function signalProcess(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function parseSignal(text: string): number {
  if (/^\d+$/.test(text) && Number(text) > 0 && Number(text) <= 64) return Number(text);
  const name = text.toUpperCase();
  return signalNumber(name.startsWith('SIG') ? name : `SIG${name}`);
}
