import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
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

/** A full disk as the user's own matter; other errors as they are. */
export function noRoom(error: unknown, where: string): unknown {
  const full = ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '');
  if (!full) return error;
  return new NestError('no-room', `write \`${where}\`: no space left on device`, {
    hint: 'See what takes it: nest system df. Free it: nest system prune. Then run the same command again.',
    cause: error,
  });
}

function missing(what: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENXIO' ? invalid(what, 'missing', error) : error;
}
