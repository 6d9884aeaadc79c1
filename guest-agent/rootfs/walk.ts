import { closeSync, constants, lstatSync, openSync, readdirSync, type Stats } from 'node:fs';
import { errnoOf, RequestError } from '../errors.ts';

export interface WalkedFile {
  /** Relative to the top, one character per byte: `etc/passwd`. */
  path: string;
  /** Names that very file for system calls, until the next one is asked for; links before the last name are none. */
  at: Buffer;
  stats: Stats;
}

/**
 * Everything below the folder `top`, parents before children, sorted by bytes. The container may run and change its files
 * meanwhile: each folder is gone through by descriptor, so that a link that takes a folder's place leads nowhere, and what
 * vanishes is left out.
 */
export function walk(top: number): Generator<WalkedFile> {
  return below(top, '', 1);
}

function* below(folder: number, prefix: string, depth: number): Generator<WalkedFile> {
  if (depth > DEEPEST)
    throw new RequestError(500, `read folder \`${printable(prefix)}\`: deeper than ${DEEPEST} folders`);
  const names = readdirSync(`/proc/self/fd/${folder}`, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b));
  for (const name of names) {
    const at = Buffer.concat([Buffer.from(`/proc/self/fd/${folder}/`), name]);
    const stats = present(() => lstatSync(at));
    if (stats === undefined) continue;
    const path = prefix + name.toString('latin1');
    yield { path, at, stats };
    if (!stats.isDirectory()) continue;
    const child = present(() => openSync(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW));
    if (child === undefined) continue;
    try {
      yield* below(child, `${path}/`, depth + 1);
    } finally {
      closeSync(child);
    }
  }
}

/** Undefined for what is gone, or is something else by now. */
export function present<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

const printable = (path: string) => Buffer.from(path.slice(0, 200), 'latin1').toString('utf8');

/** The engine takes no deeper layer; each level holds a descriptor. */
const DEEPEST = 128;
