import { LEAST_STORAGE } from '../../../guest-agent/api.ts';
import { readDuration, readSize } from '../../quantities.ts';
import { Invalid, quoted } from './problems.ts';

export function parseBytes(text: string): number {
  const bytes = readSize(text);
  if (bytes === undefined)
    throw new Invalid(`${quoted(text)} is no size`, 'write a number with b, k, m or g, such as 512m');
  if (bytes > Number.MAX_SAFE_INTEGER) throw new Invalid(`${quoted(text)} is larger than any machine`, 'write less');
  return bytes;
}

/** Bytes of memory.max; with less than 6 MiB no container starts. */
export function parseMemory(text: string): number {
  const bytes = parseBytes(text);
  if (bytes >= LEAST_MEMORY) return bytes;
  const advice = /^\d+$/.test(text) ? `numbers are bytes; write ${text}m for MiB` : 'write at least 6m';
  throw new Invalid(`${quoted(text)} is less than 6 MiB`, advice);
}

/** Bytes that a container may write. */
export function parseStorage(text: string): number {
  const bytes = parseBytes(text);
  if (bytes >= LEAST_STORAGE) return bytes;
  const advice = /^\d+$/.test(text) ? `numbers are bytes; write ${text}m for MiB` : 'write at least 1m';
  throw new Invalid(`${quoted(text)} is less than 1 MiB`, advice);
}

/** Cores. */
export function parseCpus(text: string): number {
  const cpus = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
  if (cpus >= 0.01 && cpus <= 1024) return cpus;
  throw new Invalid(`${quoted(text)} is no number of CPUs`, 'write a number from 0.01 to 1024, such as 0.5');
}

/** Processes and threads; -1 is no limit. */
export function parsePids(text: string): number | null {
  if (text === '-1') return null;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new Invalid(`${quoted(text)} is no number of processes`, 'write a number from 1, or -1 for no limit');
}

/** Bytes of memory and swap together; -1 is no limit. */
export function parseSwap(text: string): number {
  return text === '-1' ? -1 : parseBytes(text);
}

/** Weight of processor time, as cgroup v1 counts it. */
export function parseShares(text: string): number {
  if (/^\d{1,6}$/.test(text) && Number(text) >= 2 && Number(text) <= 262_144) return Number(text);
  throw new Invalid(`${quoted(text)} is no weight of processor time`, 'write a number from 2 to 262144; 1024 is usual');
}

/** Processors as in cpuset(7): "0-2,7". */
export function parseCpuset(text: string): string {
  if (/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text)) return text;
  throw new Invalid(`${quoted(text)} is no list of processors`, 'write their numbers, such as 0-2,3');
}

/** Weight at the disk. */
export function parseWeight(text: string): number {
  if (/^\d{2,4}$/.test(text) && Number(text) >= 10 && Number(text) <= 1000) return Number(text);
  throw new Invalid(`${quoted(text)} is no weight`, 'write a number from 10 to 1000');
}

/** Logs are kept in one way only. */
export function parseLogDriver(text: string): string {
  if (text === 'json-file' || text === 'local') return text;
  throw new Invalid(`${quoted(text)} is no way in which nest keeps logs`, 'remove the key, or write json-file');
}

/** "10m": bytes of one file of a log, from 4k. */
export function parseLogSize(text: string): string {
  if (parseBytes(text) >= 4096) return String(parseBytes(text));
  throw new Invalid(`${quoted(text)} is less than 4 KiB`, 'write at least 4k, such as 10m');
}

/** How many files of a log are kept. */
export function parseLogFiles(text: string): string {
  if (/^[1-9]\d{0,2}$/.test(text)) return text;
  throw new Invalid(`${quoted(text)} is no number of files`, 'write a number from 1 to 999');
}

/** Seconds, rounded up, from a Go duration: "10s", "1m30s", "500ms". */
export function parseSeconds(text: string): number {
  return Math.ceil(parseDuration(text) / 1000);
}

/** Milliseconds, from a Go duration. */
export function parseDuration(text: string): number {
  const milliseconds = readDuration(text);
  if (milliseconds === undefined)
    throw new Invalid(`${quoted(text)} is no duration`, 'write a number with unit, such as 10s or 1m30s');
  if (milliseconds <= LONGEST) return milliseconds;
  throw new Invalid(`${quoted(text)} is longer than a day`, 'write at most 24h');
}

const LEAST_MEMORY = 6 * 1024 * 1024;
const LONGEST = 24 * 3_600_000;
