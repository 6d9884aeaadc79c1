import { createGunzip } from 'node:zlib';
import { through } from './through.ts';
import { unzstd } from './zstd.ts';

/**
 * The bytes of a blob, decompressed as its first bytes say. The media type is not asked: Docker does not ask it either,
 * and images whose types lie about gzip are common.
 */
export async function* decompressed(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = source[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < 4) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const whole = prepend(head, chunks);
  const format = formatOf(head);
  if (format === 'gzip') yield* through(whole, createGunzip({ chunkSize: 64 * 1024 }));
  else if (format === 'zstd') yield* unzstd(whole);
  else yield* whole;
}

/** @param head the first four bytes, fewer if there are no more. */
export function formatOf(head: Buffer): 'gzip' | 'zstd' | undefined {
  if (head.length >= 2 && head.readUInt16BE(0) === GZIP) return 'gzip';
  if (head.length >= 4 && head.readUInt32LE(0) === ZSTD) return 'zstd';
  return undefined;
}

async function* prepend(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (head.length > 0) yield head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** RFC 1952 section 2.3.1 and RFC 8878 section 3.1.1. */
const GZIP = 0x1f8b;
const ZSTD = 0xfd2fb528;
