import { createGunzip } from 'node:zlib';
import { filtered } from './filter.ts';
import { through } from './through.ts';
import { unzstd } from './zstd.ts';

/**
 * The bytes of a blob, decompressed as its first bytes say. The media type is not asked: Docker does not ask it either,
 * and images whose types lie about gzip are common.
 *
 * @throws MalformedTar, NestError `tool-missing`
 */
export async function* decompressed(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = source[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < HEAD) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const whole = prepend(head, chunks);
  const format = formatOf(head);
  switch (format) {
    case 'gzip':
      yield* through(whole, createGunzip({ chunkSize: 64 * 1024 }));
      break;
    case 'zstd':
      yield* unzstd(whole);
      break;
    case 'xz':
      yield* filtered(whole, 'xz', ['-dc', '-T1', '--memlimit-decompress=256MiB']);
      break;
    case 'bzip2':
      yield* filtered(whole, 'bzip2', ['-dc']);
      break;
    case undefined:
      yield* whole;
  }
}

/** @param head the first HEAD bytes, fewer if there are no more. */
export function formatOf(head: Buffer): keyof typeof MAGIC | undefined {
  return FORMATS.find((format) => MAGIC[format].test(head.toString('latin1', 0, HEAD)));
}

async function* prepend(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (head.length > 0) yield head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** RFC 1952 section 2.3.1, RFC 8878 section 3.1.1, tukaani.org/xz/xz-file-format.txt section 2.1.1.1, and bzip2, whose blocks begin with digits of π, its end with digits of √π: a tar may begin with a file `BZh`. */
/* eslint-disable no-control-regex -- these are bytes */
const MAGIC = {
  gzip: /^\x1f\x8b/,
  zstd: /^\x28\xb5\x2f\xfd/,
  xz: /^\xfd7zXZ\x00/,
  bzip2: /^BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)/,
};
/* eslint-enable no-control-regex */
const FORMATS = ['gzip', 'zstd', 'xz', 'bzip2'] as const;
export const HEAD = 10;
