import { createReadStream, createWriteStream } from 'node:fs';
import { open, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { NestError } from '../errors.ts';
import { addBlob, hasBlob, type BlobId } from './add-blob.ts';
import { invalid, noRoom, parseDocument, short } from './blobs.ts';
import { decompressed, formatOf, HEAD } from './decompress.ts';
import { DockerArchive } from './documents.ts';
import type { Lease } from './lease.ts';
import { MAX_ARCHIVE, MAX_DOCUMENT } from './limits.ts';
import { MalformedTar } from '../../guest-agent/tar/entry.ts';
import { readTar, type TarItem } from '../../guest-agent/tar/reader.ts';
import type { Store } from './store.ts';

/** What a path holds, told by content: names end in anything. */
export type PathSource =
  | { kind: 'oci-layout' }
  /** Its blobs are in the store, its index is in the stage. */
  | { kind: 'oci-archive' }
  /** The names of each image, in the archive's order. */
  | { kind: 'docker-archive'; names: string[][] };

/** A file or folder, and what its user calls it. */
export interface NamedPath {
  path: string;
  name: string;
}

/**
 * Tells what `source` is. The blobs of an OCI archive come into the store on the way, each proven by the digest that
 * names it, and its index into the lease's stage; whatever else an archive holds is passed over. Docker 25 and later
 * saves archives that are both; the OCI part says more.
 *
 * @throws NestError `not-found`, `image-invalid`, `no-room`
 */
export async function openSource(
  source: NamedPath,
  store: Store,
  lease: Lease,
  signal?: AbortSignal,
): Promise<PathSource> {
  const kind = await stat(source.path).catch((error: unknown) => {
    throw new NestError('not-found', `read image \`${source.name}\`: no such file or folder`, { cause: error });
  });
  if (kind.isDirectory()) {
    if (await isFile(path.join(source.path, 'oci-layout'))) return { kind: 'oci-layout' };
    throw unknown(source, 'the folder has no file `oci-layout`');
  }
  if (!kind.isFile()) throw unknown(source, 'neither a file nor a folder');
  try {
    return await unpack(source, store, lease, signal);
  } catch (error) {
    if (error instanceof MalformedTar) throw unknown(source, error.message, error);
    throw error;
  }
}

async function unpack(source: NamedPath, store: Store, lease: Lease, signal?: AbortSignal): Promise<PathSource> {
  const found = new Map<string, Buffer>();
  for await (const { entry, body } of readTar(archiveBytes(source.path, signal))) {
    const name = entry.name.replace(/^\.\//, '');
    if (entry.type !== 'file') continue;
    const hex = BLOB.exec(name)?.[1];
    if (hex !== undefined) await unpackBlob({ digest: `sha256:${hex}`, size: entry.size }, body, store, lease);
    else if (DOCUMENTS.has(name)) found.set(name, await small(name, body));
  }
  const index = found.get('index.json');
  if (found.has('oci-layout') && index) {
    await writeFile(path.join(lease.stage, 'index.json'), index);
    return { kind: 'oci-archive' };
  }
  const manifest = found.get('manifest.json');
  if (!manifest) throw unknown(source, 'it has neither `oci-layout` nor `manifest.json`');
  const images = parseDocument(manifest, 'manifest.json', DockerArchive);
  return { kind: 'docker-archive', names: images.map(({ RepoTags }) => RepoTags) };
}

/** One that the store has already is passed over. */
async function unpackBlob(blob: BlobId, body: AsyncIterable<Buffer>, store: Store, lease: Lease): Promise<void> {
  lease.hold(blob.digest);
  if (await hasBlob(store, blob)) return;
  const { digest } = await addBlob(store, lease, body);
  if (digest !== blob.digest) throw invalid(short(blob.digest), 'its content does not have this digest');
}

/** The archive as a plain tar, for programs that read no compressed ones: itself, or a copy in `folder`. */
export async function plainArchive(source: string, folder: string, signal?: AbortSignal): Promise<string> {
  await using file = await open(source, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0);
  if (formatOf(buffer.subarray(0, bytesRead)) === undefined) return source;
  const target = path.join(folder, 'plain.tar');
  await pipeline(archiveBytes(source, signal), createWriteStream(target)).catch((error: unknown) => {
    throw noRoom(error, folder);
  });
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

function unknown({ name }: NamedPath, why: string, cause?: unknown): NestError {
  return new NestError('image-invalid', `read image \`${name}\`: ${why}`, {
    hint: 'Give an archive from `docker save` or `podman save`, an OCI archive, or an OCI layout folder.',
    cause,
  });
}

const DOCUMENTS = new Set(['oci-layout', 'index.json', 'manifest.json']);
const BLOB = /^blobs\/sha256\/([0-9a-f]{64})$/;
