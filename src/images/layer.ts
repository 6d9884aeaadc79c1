import { createHash, type Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { NestError } from '../errors.ts';
import { decompressed } from './decompress.ts';
import { inspectLayer } from './inspect-layer.ts';
import { LAYER_LIMITS, RATIO_FLOOR, type LayerLimits } from './limits.ts';
import { rewriteLayer } from './rewrite.ts';
import { packSquashfs } from './sqfstar.ts';
import { MalformedTar } from '../../guest-agent/tar/entry.ts';

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

/**
 * Makes the disk of a layer: blob → decompress → check → rewrite → squashfs. The blob is read twice. The first pass
 * proves the diff ID and judges every entry before sqfstar sees a byte, and learns what only the end of an archive tells:
 * which directories are opaque, which entries replace others. Memory does not grow with the layer's bytes.
 *
 * @param blob path of the blob, none, gzip or zstd compressed.
 * @throws NestError `image-invalid`, `no-room`, `tool-missing`
 */
export function convertLayer(layer: LayerBlob, blob: string, target: string, options: ConvertOptions = {}) {
  return withBlob(layer, blob, options, async (pass) => {
    const hash = createHash('sha256');
    const { plan, newest } = await inspectLayer(pass('checked', hash), options.limits ?? LAYER_LIMITS);
    expectDiffId(layer, hash);
    await packSquashfs(rewriteLayer(pass('packed'), plan), target, {
      diffId: layer.diffId,
      newest,
      signal: options.signal,
    });
  });
}

/** Proves that a blob is the layer it is said to be, where its disk is there already. */
export function proveLayer(layer: LayerBlob, blob: string, options: ConvertOptions = {}) {
  return withBlob(layer, blob, options, async (pass) => {
    const hash = createHash('sha256');
    const bytes = pass('checked', hash);
    while ((await bytes.next()).done !== true);
    expectDiffId(layer, hash);
  });
}

/** Each `pass` is the uncompressed bytes from the start: hashed, counted, bounded. */
type Pass = (verb: string, hash?: Hash) => AsyncGenerator<Buffer>;

async function withBlob(
  layer: LayerBlob,
  blob: string,
  { limits = LAYER_LIMITS, detail = () => undefined, signal }: ConvertOptions,
  work: (pass: Pass) => Promise<void>,
): Promise<void> {
  // One descriptor for all passes: the folder of a load may be removed while another load waits for this layer.
  await using file = await open(blob, 'r');
  const most = Math.min(limits.size, Math.max(RATIO_FLOOR, layer.size * limits.ratio));
  try {
    await work(async function* (verb, hash) {
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
    });
  } catch (error) {
    throw signal?.aborted === true ? error : explained(error, layer);
  }
}

function fromStart(file: FileHandle): AsyncIterable<Buffer> {
  return file.createReadStream({ start: 0, autoClose: false, highWaterMark: 64 * 1024 }) as AsyncIterable<Buffer>;
}

function expectDiffId({ diffId }: LayerBlob, hash: Hash): void {
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
