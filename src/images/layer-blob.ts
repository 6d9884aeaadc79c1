import type { Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { MalformedTar } from '../../guest-agent/tar/entry.ts';
import { NestError } from '../errors.ts';
import { decompressed } from './decompress.ts';
import { LAYER_LIMITS, RATIO_FLOOR, type LayerLimits } from './limits.ts';

/** A layer as an image's manifest and configuration describe it. */
export interface LayerBlob {
  /** Of the uncompressed tar. */
  diffId: string;
  /** Of the blob. */
  digest: string;
  /** Bytes of the blob. */
  size: number;
  /** As the manifest names it. */
  mediaType: string;
}

export interface ConvertOptions {
  limits?: LayerLimits;
  detail?: (text: string) => void;
  signal?: AbortSignal | undefined;
}

/** The uncompressed bytes of a blob from the start, each time: hashed, counted, bounded. */
type Pass = (verb: string, hash?: Hash) => AsyncGenerator<Buffer>;

/**
 * Opens a layer's blob once for as many passes as `work` wants. What is wrong with it becomes the image's fault.
 *
 * @param blob path of the blob, none, gzip or zstd compressed
 * @throws NestError `image-invalid`
 */
export async function withBlob(
  layer: LayerBlob,
  blob: string,
  options: ConvertOptions,
  work: (pass: Pass) => Promise<void>,
): Promise<void> {
  // One descriptor for all passes: the folder of a load may be removed while another load waits for this layer.
  await using file = await open(blob, 'r');
  try {
    await work((verb, hash) => layerBytes(layer, file, { ...options, verb, hash }));
  } catch (error) {
    throw options.signal?.aborted === true ? error : explained(error, layer);
  }
}

/** @param verb what is done with the bytes, for who waits @throws MalformedTar */
export async function* layerBytes(
  layer: LayerBlob,
  file: FileHandle,
  {
    verb,
    hash,
    limits = LAYER_LIMITS,
    detail = () => undefined,
    signal,
  }: ConvertOptions & { verb: string; hash?: Hash | undefined },
): AsyncGenerator<Buffer> {
  const most = Math.min(limits.size, Math.max(RATIO_FLOOR, layer.size * limits.ratio));
  let size = 0;
  for await (const chunk of decompressed(fromStart(file))) {
    signal?.throwIfAborted();
    const before = size;
    size += chunk.length;
    if (size > most) throw new MalformedTar(`it expands to more than ${mebibytes(most)}`);
    if (Math.floor(before / REPORT_EVERY) !== Math.floor(size / REPORT_EVERY)) detail(`${verb} ${mebibytes(size)}`);
    hash?.update(chunk);
    yield chunk;
  }
}

function fromStart(file: FileHandle): AsyncIterable<Buffer> {
  return file.createReadStream({ start: 0, autoClose: false, highWaterMark: 64 * 1024 }) as AsyncIterable<Buffer>;
}

/** @throws MalformedTar */
export function expectDiffId({ diffId }: LayerBlob, hash: Hash): void {
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== diffId) throw new MalformedTar(`its content is ${found}, not ${diffId}`);
}

/** What a blob can have wrong is the image's fault; the rest keeps its own error. */
function explained(error: unknown, { digest }: LayerBlob): unknown {
  if (!(error instanceof MalformedTar)) return error;
  return new NestError('image-invalid', `read layer \`${digest.slice(0, 19)}\`: ${error.message}`, {
    hint: 'The image is damaged or made to do harm. Build or fetch it again, from a source you trust.',
    cause: error,
  });
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}

const REPORT_EVERY = 32 * 1024 ** 2;
