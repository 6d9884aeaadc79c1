import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';
import { type ContainerProcess, PROCESS_LIMIT } from '../wire/stats.ts';

/** The processes of a cgroup and of those inside it, by their numbers; one that ends meanwhile is left out. */
export function processesOf(cgroup: string, proc = '/proc'): ContainerProcess[] {
  const bootedAt = Number(/^btime (\d+)$/m.exec(readFileSync(join(proc, 'stat'), 'utf8'))?.[1] ?? 0) * 1000;
  return members(cgroup)
    .sort((a, b) => a - b)
    .slice(0, PROCESS_LIMIT)
    .map((pid) => describe(join(proc, String(pid)), bootedAt))
    .filter((process) => process !== undefined);
}

function members(cgroup: string): number[] {
  const own = readFileSync(join(cgroup, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  const inner = readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...own, ...inner.flatMap(({ name }) => members(join(cgroup, name)))];
}

/** proc_pid_stat(5), proc_pid_status(5), proc_pid_cmdline(5): a name in parentheses may hold anything. */
function describe(folder: string, bootedAt: number): ContainerProcess | undefined {
  try {
    const read = (file: string) => readFileSync(join(folder, file), 'utf8');
    const [, pid, name = '', columns = ''] = /^(\d+) \((.*)\) (.*)$/s.exec(read('stat')) ?? [];
    const [state = '', ...numbers] = columns.split(' ');
    // The column that proc_pid_stat(5) counts as 4 is the first of these.
    const at = (column: number) => Number(numbers[column - 4] ?? 0);
    const ids = (key: string) => Number(new RegExp(`^${key}:\\s*(\\d+)`, 'm').exec(read('status'))?.[1] ?? 0);
    const command = read('cmdline').replaceAll('\0', ' ').trim().slice(0, COMMAND_LIMIT);
    return {
      pid: Number(pid),
      parent: at(4),
      uid: ids('Uid'),
      gid: ids('Gid'),
      threads: at(20),
      state,
      startedAt: bootedAt + at(22) * MILLISECONDS_PER_TICK,
      cpuTime: (at(14) + at(15)) * MILLISECONDS_PER_TICK,
      nice: at(19),
      virtual: at(23),
      resident: at(24) * PAGE,
      name: name.slice(0, NAME_LIMIT),
      // As ps(1) shows one that has no command line, such as a zombie.
      command: command === '' ? `[${name.slice(0, NAME_LIMIT)}]` : command,
    };
  } catch (error) {
    if (GONE.has(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

const GONE = new Set(['ENOENT', 'ESRCH']);
const MILLISECONDS_PER_TICK = 10;
/** Bytes, on x86-64. */
const PAGE = 4096;
const NAME_LIMIT = 60;
const COMMAND_LIMIT = 4000;
