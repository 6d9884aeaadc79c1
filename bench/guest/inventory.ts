import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What containers could leave behind in a guest. */
export interface Leftovers {
  zombies: number;
  /** Programs, without the kernel's own threads. */
  processes: number;
  mounts: number;
  cgroups: number;
  interfaces: number;
  agentDescriptors: number;
  zygoteDescriptors: number;
}

export function takeLeftovers(agent: number): Leftovers {
  const zygote = findZygote() ?? 0;
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return {
    zombies: processes.filter((pid) => / Z /.test(statOf(pid).replace(/^.*\)/s, ''))).length,
    processes: processes.filter((pid) => read(`/proc/${pid}/cmdline`) !== '').length,
    mounts: read('/proc/self/mountinfo').split('\n').length,
    cgroups: foldersIn('/sys/fs/cgroup/nest'),
    interfaces: readdirSync('/sys/class/net').length,
    agentDescriptors: readdirSync(`/proc/${agent}/fd`).length,
    zygoteDescriptors: readdirSync(`/proc/${zygote}/fd`).length,
  };
}

/** What the zygote takes, KiB: proc_pid_smaps(5), Pss. */
export function zygoteMemory(): number {
  return pssOf(findZygote() ?? 0);
}

/** What all processes take but this one and those that run `command`: KiB, Pss. */
export function memoryBeyond(command: string[]): number {
  const own = `${command.join('\0')}\0`;
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid && read(`/proc/${pid}/cmdline`) !== own)
    .reduce((sum, pid) => sum + pssOf(pid), 0);
}

const pssOf = (pid: string | number) => Number(/^Pss:\s*(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);

/** The zygote that init runs now: the one whose parent is init; a child of it still has its name. */
export function findZygote(): number | undefined {
  const own = readdirSync('/proc').find(
    (pid) => /^\d+$/.test(pid) && read(`/proc/${pid}/cmdline`).includes('zygote.js') && /\) \S+ 1 /.test(statOf(pid)),
  );
  return own === undefined ? undefined : Number(own);
}

const foldersIn = (folder: string): number =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .reduce((count, { name }) => count + 1 + foldersIn(join(folder, name)), 0);

const statOf = (pid: string) => read(`/proc/${pid}/stat`);

/** '' for what has ended meanwhile. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
