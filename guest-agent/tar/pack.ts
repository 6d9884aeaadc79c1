import { createReadStream, type Stats } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import path from 'node:path';
import { padding, tarEntry, type TarEntry } from './entry.ts';
import { tarEnd, tarHeader } from './writer.ts';

export interface PackOptions {
  /** What is named is followed where it is a link. */
  followLink: boolean;
  /** Owners of this machine go along; otherwise all is root's. */
  owners: boolean;
}

/** A file or folder of this machine as a tar, under `name`. Sockets are left out. */
export async function* packFile(file: string, name: string, options: PackOptions): AsyncGenerator<Buffer> {
  yield* entries(file, name, options.followLink ? await stat(file) : await lstat(file), options);
  yield tarEnd();
}

async function* entries(file: string, name: string, stats: Stats, options: PackOptions): AsyncGenerator<Buffer> {
  const described = (more: Pick<TarEntry, 'type'> & Partial<TarEntry>) =>
    tarHeader(
      tarEntry({
        name: bytesOf(stats.isDirectory() ? `${name}/` : name),
        mode: stats.mode & 0o7777,
        mtime: Math.floor(stats.mtimeMs / 1000),
        ...(options.owners && { uid: stats.uid, gid: stats.gid }),
        ...more,
      }),
    );
  if (stats.isDirectory()) {
    yield described({ type: 'directory' });
    for (const child of (await readdir(file)).sort()) {
      const below = path.join(file, child);
      yield* entries(below, `${name}/${child}`, await lstat(below), options);
    }
  } else if (stats.isSymbolicLink()) yield described({ type: 'symlink', linkName: bytesOf(await readlink(file)) });
  else if (stats.isFIFO()) yield described({ type: 'fifo' });
  else if (stats.isFile()) {
    yield described({ type: 'file', size: stats.size });
    yield* exactly(file, stats.size);
  }
}

/** As many bytes as the header says, whatever happens to the file meanwhile. */
async function* exactly(file: string, size: number): AsyncGenerator<Buffer> {
  let left = size;
  if (size > 0)
    for await (const chunk of createReadStream(file, { end: size - 1 }) as AsyncIterable<Buffer>) {
      left -= chunk.length;
      yield chunk;
    }
  for (; left > 0; left -= Math.min(left, ZEROS.length)) yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
  yield Buffer.alloc(padding(size));
}

/** One character per byte, as tar entries have names. */
const bytesOf = (text: string) => Buffer.from(text).toString('latin1');
const ZEROS = Buffer.alloc(64 * 1024);
