import { lstat, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import * as v from 'valibot';
import { packFile } from '../../../guest-agent/tar/pack.ts';
import { NestError } from '../../errors.ts';
import type { Engine } from '../connect.ts';
import { toStdout } from '../output.ts';
import { archiveName, landing, parentOf, type Target } from './landing.ts';
import { unpackFiles } from './unpack.ts';

export interface CopyOptions {
  container: string;
  /** In the container. */
  path: string;
  /** On this machine; `-` is a tar on stdin or stdout. */
  local: string;
  followLink: boolean;
  owners: boolean;
  signal: AbortSignal;
  onSize: (bytes: number) => void;
}

/** @returns bytes of the archive that was sent */
export async function copyToContainer(engine: Engine, options: CopyOptions): Promise<number> {
  const { container, path, local, followLink, owners } = options;
  if (local === '-') return send(engine, options, path, process.stdin);
  const stats = await (followLink ? stat(local) : lstat(local)).catch((cause: unknown) => {
    throw new NestError('not-found', `copy \`${local}\`: no such file or folder`, { cause });
  });
  const target = await resolveTarget(engine, container, path);
  const { folder, name } = landing({ path: local, folder: stats.isDirectory() }, target);
  return send(engine, options, folder, packFile(local, name, { followLink, owners }));
}

/** @returns bytes of files */
export async function copyFromContainer(engine: Engine, options: CopyOptions): Promise<number> {
  const { container, local, followLink, owners, signal } = options;
  const found = await statFile(engine, container, options.path);
  if (found === undefined) throw missing(container, options.path);
  const followed = followLink && found.linkTarget !== '';
  const path = followed ? linkPath(options.path, found.linkTarget) : options.path;
  const source = followed ? await statFile(engine, container, path) : found;
  if (source === undefined) throw missing(container, path);
  const archive = await engine.docker((docker) =>
    docker.getContainer(encodeURIComponent(container)).getArchive({ path, abortSignal: signal }),
  );
  const counted = count(Readable.from(archive), options.onSize);
  if (local === '-') return write(counted, signal);
  const target = await localTarget(local);
  const into = landing({ path: options.path, folder: source.folder }, target);
  if ((await lstat(into.folder).catch(() => undefined)) === undefined)
    throw new NestError('not-found', `copy to \`${local}\`: no folder \`${into.folder}\``);
  return unpackFiles(counted, archiveName(path), into, { owners });
}

/** A link in the container leads where it leads there: once, as with Docker. */
async function resolveTarget(engine: Engine, container: string, path: string): Promise<Target> {
  const found = await statFile(engine, container, path);
  if (found === undefined) return { path, kind: 'none' };
  if (found.linkTarget === '') return { path, kind: found.folder ? 'folder' : 'file' };
  const target = linkPath(path, found.linkTarget);
  const behind = await statFile(engine, container, `${target}/`);
  return { path: target, kind: behind === undefined ? 'file' : 'folder' };
}

async function localTarget(path: string): Promise<Target> {
  const found = await stat(path).catch(() => undefined);
  return { path, kind: found === undefined ? 'none' : found.isDirectory() ? 'folder' : 'file' };
}

async function send(
  engine: Engine,
  { container, signal, onSize }: CopyOptions,
  path: string,
  archive: AsyncIterable<Buffer>,
): Promise<number> {
  let size = 0;
  const counted = count(archive, (bytes) => onSize((size = bytes)));
  await engine.docker((docker) =>
    docker
      .getContainer(encodeURIComponent(container))
      .putArchive(Readable.from(counted, { objectMode: false }), { path, abortSignal: signal }),
  );
  return size;
}

async function write(archive: AsyncIterable<Buffer>, signal: AbortSignal): Promise<number> {
  let size = 0;
  await toStdout(Readable.from(count(archive, (bytes) => (size = bytes))), signal);
  return size;
}

async function* count(source: AsyncIterable<Buffer>, onSize: (bytes: number) => void): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    onSize(size);
    yield chunk;
  }
}

/** Undefined where there is no such file; a container that is not there is an error. */
async function statFile(engine: Engine, container: string, path: string) {
  try {
    const reply: unknown = await engine.docker((docker) =>
      docker.getContainer(encodeURIComponent(container)).infoArchive({ path }),
    );
    const { headers } = v.parse(Head, reply);
    const text = Buffer.from(headers['x-docker-container-path-stat'], 'base64').toString('utf8');
    const { mode, linkTarget } = v.parse(PathStat, JSON.parse(text));
    return { folder: mode >= MODE_DIR, linkTarget };
  } catch (error) {
    if (!(error instanceof NestError) || error.code !== 'not-found') throw error;
    await engine.docker((docker) => docker.getContainer(encodeURIComponent(container)).inspect());
    return undefined;
  }
}

const linkPath = (path: string, target: string) => posix.resolve(parentOf(path), target);

function missing(container: string, path: string): NestError {
  return new NestError('not-found', `Could not find the file ${path} in container ${container}`);
}

const Head = v.object({ headers: v.object({ 'x-docker-container-path-stat': v.string() }) });
const PathStat = v.object({ mode: v.number(), linkTarget: v.string() });
/** Of Go's io/fs.FileMode, the highest bit. */
const MODE_DIR = 2 ** 31;
