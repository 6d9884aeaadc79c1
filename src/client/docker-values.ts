import { readFile } from 'node:fs/promises';
import { NestError } from '../errors.ts';
import { readDuration, readSize } from '../quantities.ts';

/** The values of Docker's flags, as its CLI reads them. All throw `invalid-input`. */

/** `512m`, `1.5g`, `64kb`, `1048576`: bytes, units of 1024. */
export function parseBytes(text: string): number {
  const bytes = readSize(text);
  if (bytes !== undefined && Number.isSafeInteger(bytes)) return bytes;
  throw invalid(`memory \`${text}\`: not a size`, 'Write a number and b, k, m or g: 512m');
}

/** `0.5` as Docker's NanoCpus. */
export function parseCpus(text: string): number {
  const cores = Number(text);
  if (text.trim() === '' || !Number.isFinite(cores) || cores <= 0)
    throw invalid(`cpus \`${text}\`: not a positive number`, 'Example: --cpus 0.5');
  return Math.round(cores * 1e9);
}

export interface PublishedPort {
  /** `80/tcp` */
  container: string;
  /** Empty: the engine's choice. */
  hostIp: string;
  /** Empty: any free port. */
  hostPort: string;
}

/** `80`, `8080:80`, `127.0.0.1:8080:80/tcp`, `[::1]::80`. */
export function parsePort(text: string): PublishedPort {
  const match = /^(?:(?:(\[[\da-f:.]+\]|[\d.]+):)?(\d*):)?(\d+)(?:\/(tcp|udp|sctp))?$/i.exec(text);
  const [, ip = '', hostPort = '', container = '', protocol = 'tcp'] = match ?? [];
  if (!match || !isPort(container) || (hostPort !== '' && hostPort !== '0' && !isPort(hostPort)))
    throw invalid(`port \`${text}\`: not [[ADDRESS:]HOST_PORT:]CONTAINER_PORT`, 'Example: -p 127.0.0.1:8080:80');
  return { container: `${container}/${protocol.toLowerCase()}`, hostIp: ip.replace(/^\[|\]$/g, ''), hostPort };
}

/** `no`, `always`, `unless-stopped`, `on-failure[:COUNT]`. */
export function parseRestart(text: string): { Name: string; MaximumRetryCount?: number } {
  const [, name = '', count] = /^(no|always|unless-stopped|on-failure)(?::(\d+))?$/.exec(text) ?? [];
  if (name === '' || (count !== undefined && name !== 'on-failure'))
    throw invalid(`restart policy \`${text}\`: unknown`, 'Use no, always, unless-stopped or on-failure[:COUNT]');
  return { Name: name, ...(count !== undefined && { MaximumRetryCount: Number(count) }) };
}

/** `30s`, `1m30s`, `500ms`: milliseconds. */
export function parseDuration(text: string): number {
  const milliseconds = readDuration(text);
  if (milliseconds !== undefined) return milliseconds;
  throw invalid(`time \`${text}\`: not a number with h, m, s or ms`, 'Examples: 30s, 1m30s, 500ms');
}

/** `10m`, `1h30m` (ago), a date or an RFC 3339 time, or seconds since 1970: as seconds since 1970. */
export function parseTime(text: string, now: number = Date.now()): string {
  if (/^\d+(\.\d+)?$/.test(text)) return text;
  const ago = readDuration(text);
  if (ago !== undefined) return String((now - ago) / 1000);
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw invalid(`time \`${text}\`: unknown form`, 'Examples: 10m, 2026-01-31T12:00:00Z');
  return String(time / 1000);
}

/** `['label=a=b', 'status=exited']` as Docker's filters: `{label: ['a=b'], status: ['exited']}`. */
export function toFilters(entries: readonly string[]): Record<string, string[]> {
  const filters: Record<string, string[]> = {};
  for (const entry of entries) {
    const [, key, value] = /^(\w+)=(.+)$/s.exec(entry) ?? [];
    if (key === undefined || value === undefined)
      throw invalid(`filter \`${entry}\`: not KEY=VALUE`, 'Example: --filter status=exited');
    (filters[key] ??= []).push(value);
  }
  return filters;
}

/** `KEY=VALUE` each; a key alone has an empty value. */
export function toMap(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** `KEY=VALUE`, or `KEY` for the value that this process has; a key that is not set is left out, as in Docker. */
export function parseEnvironment(entries: readonly string[], own: NodeJS.ProcessEnv = process.env): string[] {
  return entries.flatMap((entry) => {
    const name = entry.split('=', 1)[0] ?? '';
    if (name === '') throw invalid(`variable \`${entry}\`: no name`, 'Example: -e MODE=fast');
    if (entry.includes('=')) return [entry];
    return own[name] === undefined ? [] : [`${name}=${own[name]}`];
  });
}

/** The variables of `--env-file`s and, over them, of `--env`. */
export async function readEnvironment(
  files: readonly string[] = [],
  entries: readonly string[] = [],
): Promise<string[]> {
  const texts = await Promise.all(
    files.map((file) =>
      readFile(file, 'utf8').catch((cause: unknown) => {
        throw new NestError('invalid-input', `read env file \`${file}\`: ${(cause as Error).message}`, { cause });
      }),
    ),
  );
  return parseEnvironment([...texts.flatMap(environmentLines), ...entries]);
}

/** Comments and empty lines left out, values as they stand: Docker strips no quotes. */
function environmentLines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function isPort(text: string): boolean {
  const port = Number(text);
  return port >= 1 && port <= 65535;
}

function invalid(message: string, hint: string): NestError {
  return new NestError('invalid-input', message, { hint });
}
