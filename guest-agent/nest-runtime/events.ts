import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Call } from './arguments.ts';
import { RuntimeError } from './errors.ts';
import { find, statusOf } from './store.ts';

/** One JSON object a line: statistics every --interval (5s) and each out-of-memory kill, until the container ends. */
export async function events({ options, flags, words }: Call): Promise<undefined> {
  const container = find(options.root, words[0] ?? '');
  if (statusOf(container) === 'stopped') throw new RuntimeError(`watch container \`${container.id}\`: it is stopped`);
  const { id, cgroup } = container;
  const interval = milliseconds(String(flags['interval'] ?? '5s'));
  let kills = counters(cgroup, 'memory.events')['oom_kill'] ?? 0;
  for (;;) {
    console.log(JSON.stringify({ type: 'stats', id, data: statistics(cgroup) }));
    if (flags['stats'] === true) return;
    await delay(interval);
    if (statusOf(container) === 'stopped') return;
    const now = counters(cgroup, 'memory.events')['oom_kill'] ?? 0;
    if (now > kills) console.log(JSON.stringify({ type: 'oom', id }));
    kills = now;
  }
}

/** As runc prints them, of what cgroup v2 counts. */
function statistics(cgroup: string) {
  const cpu = counters(cgroup, 'cpu.stat');
  const memory = counters(cgroup, 'memory.stat');
  return {
    cpu: {
      usage: {
        total: (cpu['usage_usec'] ?? 0) * 1000,
        kernel: (cpu['system_usec'] ?? 0) * 1000,
        user: (cpu['user_usec'] ?? 0) * 1000,
      },
      throttling: {
        periods: cpu['nr_periods'] ?? 0,
        throttledPeriods: cpu['nr_throttled'] ?? 0,
        throttledTime: (cpu['throttled_usec'] ?? 0) * 1000,
      },
    },
    memory: {
      usage: { usage: single(cgroup, 'memory.current'), limit: single(cgroup, 'memory.max') },
      raw: memory,
    },
    pids: { current: single(cgroup, 'pids.current'), limit: single(cgroup, 'pids.max') },
  };
}

/** `key value` lines. A file that the kernel does not have gives none. */
function counters(cgroup: string, file: string): Record<string, number> {
  const lines = read(cgroup, file).split('\n');
  return Object.fromEntries(
    lines.filter(Boolean).map((line) => {
      const [key = '', value] = line.split(' ');
      return [key, Number(value)];
    }),
  );
}

/** `max` is no limit: 0. */
const single = (cgroup: string, file: string) => Number(read(cgroup, file).trim()) || 0;

function read(cgroup: string, file: string): string {
  try {
    return readFileSync(join(cgroup, file), 'utf8');
  } catch {
    return '';
  }
}

function milliseconds(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? [];
  if (count === undefined) throw new RuntimeError(`events: --interval ${text}: not a duration such as 5s`);
  return Number(count) * (unit === 'ms' ? 1 : unit === 's' ? 1000 : 60_000);
}
