import type { ContainerProcess } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';

/** Reply of GET /containers/{id}/top. */
export interface Top {
  Titles: string[];
  Processes: string[][];
}

/**
 * Processes as ps(1) prints them, for the ways it is mostly asked: `-ef` (the default), `aux`, and `-o` or `-eo` with
 * columns. Process numbers are the guest's, as Docker's are the host's; users are numbers, as names are the container's.
 *
 * @throws NestError `unsupported`
 */
export function topTable(processes: ContainerProcess[], psArguments: string, now: number): Top {
  const columns = columnsOf(psArguments);
  return {
    Titles: columns.map(({ title }) => title),
    Processes: processes.map((process) => columns.map(({ value }) => value(process, now))),
  };
}

function columnsOf(psArguments: string): Column[] {
  const text = psArguments.trim();
  if (/^(-e?f|-fe)?$/.test(text)) return pick('uid', 'pid', 'ppid', 'c', 'stime', 'tty', 'time', 'cmd');
  if (/^-?(aux|axu)$/.test(text))
    return pick('user', 'pid', 'pcpu', 'vsz', 'rss', 'tty', 'stat', 'start', 'time', 'args');
  const names = /^-?(?:e|a|ax)?o ?([a-z,]+)$/.exec(text)?.[1]?.split(',') ?? [];
  if (names.length > 0 && names.every((name) => Object.hasOwn(COLUMNS, name))) return pick(...names);
  throw new NestError('unsupported', `ps ${text.slice(0, 64)}: not supported by nest`, {
    hint: `supported: -ef, aux, and -o with some of ${Object.keys(COLUMNS).join(', ')}`,
  });
}

const pick = (...names: string[]) => names.map((name) => COLUMNS[name]).filter((column) => column !== undefined);

interface Column {
  title: string;
  value: (process: ContainerProcess, now: number) => string;
}

/** h:mm:ss or d-hh:mm:ss, as ps prints processor time. */
function clock(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const days = Math.floor(seconds / 86_400);
  const rest = `${two(Math.floor((seconds % 86_400) / 3600))}:${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  return days > 0 ? `${days}-${rest}` : rest;
}

/** Share of one processor since it began, percent. */
const share = ({ cpuTime, startedAt }: ContainerProcess, now: number) =>
  now > startedAt ? (100 * cpuTime) / (now - startedAt) : 0;

/** The time of this day, or the date of an earlier one. */
function startTime(startedAt: number, now: number): string {
  const at = new Date(Math.min(startedAt, now)).toISOString();
  return now - startedAt < 86_400_000 ? at.slice(11, 16) : at.slice(0, 10);
}

const user = ({ uid }: ContainerProcess) => (uid === 0 ? 'root' : String(uid));
const kibibytes = (bytes: number) => String(Math.floor(bytes / 1024));
const args: Column = { title: 'COMMAND', value: ({ command }) => command };
const vsz: Column = { title: 'VSZ', value: ({ virtual }) => kibibytes(virtual) };
const rss: Column = { title: 'RSS', value: ({ resident }) => kibibytes(resident) };

/** By the names of ps(1). */
const COLUMNS: Record<string, Column> = {
  uid: { title: 'UID', value: user },
  user: { title: 'USER', value: user },
  gid: { title: 'GID', value: ({ gid }) => String(gid) },
  pid: { title: 'PID', value: ({ pid }) => String(pid) },
  ppid: { title: 'PPID', value: ({ parent }) => String(parent) },
  c: { title: 'C', value: (process, now) => String(Math.floor(share(process, now))) },
  pcpu: { title: '%CPU', value: (process, now) => share(process, now).toFixed(1) },
  ni: { title: 'NI', value: ({ nice }) => String(nice) },
  nlwp: { title: 'NLWP', value: ({ threads }) => String(threads) },
  stat: { title: 'STAT', value: ({ state }) => state },
  vsz,
  rss,
  stime: { title: 'STIME', value: ({ startedAt }, now) => startTime(startedAt, now) },
  start: { title: 'START', value: ({ startedAt }, now) => startTime(startedAt, now) },
  tty: { title: 'TTY', value: () => '?' },
  time: { title: 'TIME', value: ({ cpuTime }) => clock(cpuTime) },
  comm: { title: 'COMMAND', value: ({ name }) => name },
  cmd: { title: 'CMD', value: ({ command }) => command },
  args,
  command: args,
};
