import { closeSync, lstatSync, readlinkSync, type Stats } from 'node:fs';
import type { FileStat } from '../api.ts';
import { conflict, errnoOf, invalid, notFound } from '../errors.ts';
import { ETC_FILES } from '../network/etc-files.ts';
import type { Runtime } from '../runtime.ts';
import { type Container, isRunning } from './container.ts';
import { stoppedRoot } from './stopped-root.ts';

/**
 * A container's root as a descriptor, which bounds where the container's links lead (CVE-2018-15664). One that does not run
 * is kept from starting meanwhile where its files are to be written.
 */
export async function withRoot<T>(
  runtime: Runtime,
  container: Container,
  { path, write }: { path: string; write: boolean },
  use: (root: number) => Promise<T>,
): Promise<T> {
  const { kernel } = runtime;
  const running = () => (isRunning(container) ? holding(kernel.openRoot(container.state.pid), use) : undefined);
  const stopped = () => {
    refuseMounts(container, path);
    return holding(kernel.openTree(stoppedRoot(runtime, container), write ? 'writable' : 'whole'), use);
  };
  return running() ?? (write ? container.inTurn(() => running() ?? stopped()) : stopped());
}

/** A file of a container, the last link of its path not followed; `contents` of a folder that is named by `/` or `/.` */
export interface Place {
  /** A name of it for system calls: a link before the last name is none. */
  at: Buffer;
  /** Its own name: '.' for contents. */
  name: string;
  stats: Stats;
  close(): void;
}

/** @throws RequestError 404 */
export function findPlace(runtime: Runtime, root: number, path: string): Place {
  if (!path.startsWith('/') || path.includes('\0')) throw invalid(`find \`${path}\`: not an absolute path`);
  const names = namesIn(path);
  if (names.includes('..')) throw invalid(`find \`${path}\`: it leads up`);
  const last = /\/\.?$/.test(path) ? undefined : names.pop();
  const folder = present(path, () => runtime.kernel.openFolder(root, Buffer.from(`/${names.join('/')}`)));
  const at = Buffer.from(`/proc/self/fd/${folder}/${last ?? '.'}`);
  try {
    const stats = present(path, () => lstatSync(at));
    return { at, name: last ?? '.', stats, close: () => closeSync(folder) };
  } catch (error) {
    closeSync(folder);
    throw error;
  }
}

export function fileStat({ at, name, stats }: Place): FileStat {
  const { mode, size, mtimeMs } = stats;
  const linkTarget = stats.isSymbolicLink() ? readlinkSync(at) : '';
  return { name, mode, size: stats.isFile() ? size : 0, modifiedAt: Math.max(0, Math.floor(mtimeMs)), linkTarget };
}

async function holding<T>(fd: number, use: (fd: number) => Promise<T>): Promise<T> {
  try {
    return await use(fd);
  } finally {
    closeSync(fd);
  }
}

function present<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? ''))
      throw notFound(`Could not find the file ${path.slice(0, 1024)} in the container`);
    throw error;
  }
}

/** They are not there without the container's process: what is below them would be taken for theirs. */
function refuseMounts({ spec }: Container, path: string): void {
  const plain = `/${namesIn(path).join('/')}/`;
  const mounts = [...(spec.volumes ?? []), ...(spec.copies ?? [])].map(({ destination }) => destination);
  const names = spec.network === undefined ? [] : ETC_FILES.map((name) => `/etc/${name}`);
  const mount = [...mounts, ...names].find((destination) => plain.startsWith(`${destination}/`));
  if (mount === undefined) return;
  const what = names.includes(mount) ? 'a file of its own' : 'a volume or a copy';
  throw conflict(`copy \`${path}\`: ${what} is on \`${mount}\`, start the container first`);
}

const namesIn = (path: string) => path.split('/').filter((name) => name !== '' && name !== '.');
