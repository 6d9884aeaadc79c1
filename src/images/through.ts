import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MalformedTar } from '../../guest-agent/tar/entry.ts';

/**
 * What comes out of `engine` when `source` goes in; closing the result early closes both.
 *
 * @throws MalformedTar when the engine cannot make sense of the data, else the source's error.
 */
export async function* through(source: AsyncIterable<Buffer>, engine: Duplex): AsyncGenerator<Buffer> {
  const fed = pipeline(Readable.from(source, { objectMode: false }), engine);
  // The same error ends the loop below; this keeps it from being reported twice.
  fed.catch(() => undefined);
  try {
    yield* engine as AsyncIterable<Buffer>;
    await fed;
  } catch (error) {
    throw isDamage(error) ? new MalformedTar(`compressed data is damaged: ${error.message}`) : error;
  }
}

/** zlib's own errors, apart from those of the source. */
function isDamage(error: unknown): error is Error {
  return error instanceof Error && /^(Z_|ZSTD_|ERR_ZSTD)/.test((error as NodeJS.ErrnoException).code ?? '');
}
