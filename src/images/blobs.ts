import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, open, rename } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { NestError } from '../errors.ts';
import type { Descriptor } from './documents.ts';
import { MAX_DOCUMENT } from './limits.ts';

/** Where an OCI layout keeps a blob: image-layout.md. */
export function blobPath(layout: string, digest: string): string {
  return path.join(layout, 'blobs', digest.replace(':', '/'));
}

/**
 * A JSON blob, proven by its digest, then by its schema.
 *
 * @throws NestError `image-invalid`
 */
export async function readDocument<S extends v.GenericSchema>(
  layout: string,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  schema: S,
): Promise<v.InferOutput<S>> {
  const data = await readBounded(blobPath(layout, digest), short(digest));
  if (data.length !== size) throw invalid(short(digest), `${data.length} bytes where the image says ${size}`);
  if (`sha256:${createHash('sha256').update(data).digest('hex')}` !== digest)
    throw invalid(short(digest), 'its content does not have this digest');
  return parseDocument(data, short(digest), schema);
}

/** @param what the document's name in messages. */
export function parseDocument<S extends v.GenericSchema>(data: Buffer, what: string, schema: S): v.InferOutput<S> {
  let json: unknown;
  try {
    json = JSON.parse(data.toString('utf8'));
  } catch (error) {
    throw invalid(what, 'not JSON', error);
  }
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw invalid(what, `${v.getDotPath(issue) ?? 'document'}: ${issue.message}`);
}

/** The first bytes of a file that must be small and regular. */
export async function readBounded(file: string, what: string): Promise<Buffer> {
  // O_NONBLOCK: a fifo in the image's place must not hold the engine.
  await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw missing(what, error);
  });
  const stat = await handle.stat();
  if (!stat.isFile()) throw invalid(what, 'not a file');
  if (stat.size > MAX_DOCUMENT) throw invalid(what, `larger than ${MAX_DOCUMENT} bytes`);
  const buffer = Buffer.alloc(stat.size);
  const { bytesRead } = await handle.read(buffer, 0, stat.size, 0);
  return buffer.subarray(0, bytesRead);
}

/**
 * Brings one blob into `to` and proves its size and digest. The copy is what is proven, so a source that changes
 * meanwhile is noticed.
 *
 * @param move whether the source folder is ours and may lose the file.
 */
export async function takeBlob(
  from: string,
  to: string,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  options: { move: boolean; signal?: AbortSignal | undefined },
): Promise<void> {
  const source = blobPath(from, digest);
  const target = blobPath(to, digest);
  {
    await using handle = await open(source, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
      throw missing(short(digest), error);
    });
    const stat = await handle.stat();
    if (!stat.isFile() || stat.size !== size)
      throw invalid(short(digest), `${stat.size} bytes where the image says ${size}`);
  }
  if (options.move) await rename(source, target);
  else await copyFile(source, target, constants.COPYFILE_FICLONE);
  const hash = createHash('sha256');
  const { signal } = options;
  const bytes = createReadStream(target, { highWaterMark: 256 * 1024, ...(signal && { signal }) });
  for await (const chunk of bytes as AsyncIterable<Buffer>) hash.update(chunk);
  if (`sha256:${hash.digest('hex')}` !== digest) throw invalid(short(digest), 'its content does not have this digest');
}

/** `sha256:` and the first 12 digits, as Docker shows ids. */
export function short(digest: string): string {
  return digest.slice(0, 19);
}

export function invalid(what: string, why: string, cause?: unknown): NestError {
  return new NestError('image-invalid', `read image, \`${what}\`: ${why}`, {
    hint: 'The image is damaged or incomplete. Build or fetch it again.',
    cause,
  });
}

function missing(what: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENXIO' ? invalid(what, 'missing', error) : error;
}
