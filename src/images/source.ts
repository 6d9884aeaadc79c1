import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { NestError } from '../errors.ts';
import { parseDocument } from './blobs.ts';
import { decompressed, formatOf } from './decompress.ts';
import { DockerArchive } from './documents.ts';
import { MAX_ARCHIVE, MAX_DOCUMENT } from './limits.ts';
import { MalformedTar } from '../../guest-agent/tar/entry.ts';
import { readTar, type TarItem } from '../../guest-agent/tar/reader.ts';

/** What a path holds, told by content: names end in anything. */
export type PathSource =
  | { kind: 'oci-layout' }
  /** Unpacked into the layout that was asked for. */
  | { kind: 'oci-archive' }
  /** The names of each image, in the archive's order. */
  | { kind: 'docker-archive'; names: string[][] };

/**
 * Tells what `source` is. An OCI archive is unpacked into `layout` on the way: only the three kinds of files that a
 * layout has, whatever else the archive holds. Docker 25 and later saves archives that are both; the OCI part says more.
 *
 * @throws NestError `not-found`, `image-invalid`
 */
export async function openSource(source: string, layout: string, signal?: AbortSignal): Promise<PathSource> {
  const kind = await stat(source).catch((error: unknown) => {
    throw new NestError('not-found', `read image \`${source}\`: no such file or folder`, { cause: error });
  });
  if (kind.isDirectory()) {
    if (await isFile(path.join(source, 'oci-layout'))) return { kind: 'oci-layout' };
    throw unknown(source, 'the folder has no file `oci-layout`');
  }
  if (!kind.isFile()) throw unknown(source, 'neither a file nor a folder');
  try {
    return await unpack(source, layout, signal);
  } catch (error) {
    if (error instanceof MalformedTar) throw unknown(source, error.message, error);
    throw error;
  }
}

async function unpack(source: string, layout: string, signal?: AbortSignal): Promise<PathSource> {
  await mkdir(path.join(layout, 'blobs/sha256'), { recursive: true });
  const found = new Map<string, Buffer>();
  for await (const { entry, body } of readTar(archiveBytes(source, signal))) {
    const name = entry.name.replace(/^\.\//, '');
    if (entry.type !== 'file') continue;
    if (BLOB.test(name)) await pipeline(body, createWriteStream(path.join(layout, name)));
    else if (DOCUMENTS.has(name)) found.set(name, await small(name, body));
  }
  const index = found.get('index.json');
  if (found.has('oci-layout') && index) {
    await writeFile(path.join(layout, 'index.json'), index);
    return { kind: 'oci-archive' };
  }
  const manifest = found.get('manifest.json');
  if (!manifest) throw unknown(source, 'it has neither `oci-layout` nor `manifest.json`');
  const images = parseDocument(manifest, 'manifest.json', DockerArchive);
  return { kind: 'docker-archive', names: images.map(({ RepoTags }) => RepoTags) };
}

/** The archive as a plain tar, for programs that read no compressed ones: itself, or a copy at `target`. */
export async function plainArchive(source: string, target: string, signal?: AbortSignal): Promise<string> {
  await using file = await open(source, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
  if (formatOf(buffer.subarray(0, bytesRead)) === undefined) return source;
  await pipeline(archiveBytes(source, signal), createWriteStream(target));
  return target;
}

async function* archiveBytes(source: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  const stream = createReadStream(source, { highWaterMark: 256 * 1024, ...(signal && { signal }) });
  let size = 0;
  for await (const chunk of decompressed(stream as AsyncIterable<Buffer>)) {
    size += chunk.length;
    if (size > MAX_ARCHIVE) throw new MalformedTar(`expands to more than ${MAX_ARCHIVE / 1024 ** 3} GiB`);
    yield chunk;
  }
}

async function small(name: string, body: TarItem['body']): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_DOCUMENT) throw new MalformedTar(`${name} is larger than ${MAX_DOCUMENT} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}

function unknown(source: string, why: string, cause?: unknown): NestError {
  return new NestError('image-invalid', `read image \`${source}\`: ${why}`, {
    hint: 'Give an archive from `docker save` or `podman save`, an OCI archive, or an OCI layout folder.',
    cause,
  });
}

const DOCUMENTS = new Set(['oci-layout', 'index.json', 'manifest.json']);
const BLOB = /^blobs\/sha256\/[0-9a-f]{64}$/;
