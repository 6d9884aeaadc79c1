import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { blobPath, invalid, noRoom, short } from './blobs.ts';
import type { Descriptor } from './documents.ts';
import type { Lease } from './lease.ts';
import type { Store } from './store.ts';

/** What names a blob: `digest` is `sha256:` and 64 hexadecimal digits, `size` bytes. */
export type BlobId = Pick<Descriptor, 'digest' | 'size'>;

/**
 * Writes a stream into the store as one blob. The blob appears whole and on disk, or not at all.
 *
 * @throws NestError `no-room`, or what the stream throws
 */
export async function addBlob(
  store: Store,
  lease: Lease,
  source: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<BlobId> {
  const temporary = path.join(lease.stage, `blob-${(lastBlob += 1)}`);
  const hash = createHash('sha256');
  let size = 0;
  try {
    await using file = await open(temporary, 'wx', 0o644);
    for await (const chunk of source) {
      hash.update(chunk);
      await file.writeFile(chunk);
      size += chunk.length;
    }
    await file.sync();
  } catch (error) {
    throw noRoom(error, store.folder);
  }
  const digest = `sha256:${hash.digest('hex')}`;
  lease.hold(digest);
  await rename(temporary, blobPath(store.folder, digest));
  return { digest, size };
}

/**
 * Brings one blob of another layout into the store, unless it is there. Its size and digest are proven on the copy, so
 * that a source that changes meanwhile is noticed.
 *
 * @throws NestError `image-invalid`, `no-room`
 */
export async function takeBlob(
  store: Store,
  lease: Lease,
  layout: string,
  { digest, size }: BlobId,
  signal?: AbortSignal,
): Promise<void> {
  lease.hold(digest);
  if (await hasBlob(store, { digest, size })) return;
  const source = blobPath(layout, digest);
  // O_NONBLOCK: a fifo in the blob's place must not hold the engine.
  await using handle = await open(source, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    throw code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENXIO'
      ? invalid(short(digest), 'missing', error)
      : error;
  });
  const found = await handle.stat();
  if (!found.isFile() || found.size !== size)
    throw invalid(short(digest), `${found.size} bytes where the image says ${size}`);
  const bytes = handle.createReadStream({ autoClose: false, highWaterMark: CHUNK, ...(signal && { signal }) });
  const added = await addBlob(store, lease, bytes as AsyncIterable<Buffer>);
  if (added.digest !== digest) throw invalid(short(digest), 'its content does not have this digest');
}

/** Whether the store has the blob, judged by its size: what is in the store was proven when it came. */
export async function hasBlob(store: Store, { digest, size }: BlobId): Promise<boolean> {
  return stat(blobPath(store.folder, digest)).then(
    (found) => found.isFile() && found.size === size,
    () => false,
  );
}

/** @returns undefined for a file that cannot be read */
export async function digestOf(file: string, signal?: AbortSignal): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    const bytes = createReadStream(file, { highWaterMark: CHUNK, ...(signal && { signal }) });
    for await (const chunk of bytes as AsyncIterable<Buffer>) hash.update(chunk);
  } catch (error) {
    signal?.throwIfAborted();
    if (['ENOENT', 'EIO', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  return `sha256:${hash.digest('hex')}`;
}

let lastBlob = 0;
const CHUNK = 256 * 1024;
