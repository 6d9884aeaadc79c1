import { createZstdDecompress } from 'node:zlib';
import { byteReader, type ByteReader } from '../../guest-agent/tar/byte-reader.ts';
import { MalformedTar } from '../../guest-agent/tar/entry.ts';
import { through } from './through.ts';

/**
 * Decompresses all frames of a zstd stream (RFC 8878). Node's own decompressor stops after the first and ignores the
 * rest, but layers in the zstd:chunked format have a frame per file and metadata in skippable frames.
 */
export async function* unzstd(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = byteReader(source, () => broken('is cut short'));
  for (;;) {
    const magic = (await input.take(4, ''))?.readUInt32LE(0);
    if (magic === undefined) return;
    if (magic === FRAME) yield* through(frame(input), createZstdDecompress({ chunkSize: 64 * 1024 }));
    else if (magic >= SKIPPABLE && magic <= SKIPPABLE + 0xf)
      await input.skip((await exactly(input, 4)).readUInt32LE(0), '');
    else throw broken('holds something between its frames');
  }
}

/** The bytes of one frame whose magic number has been read (section 3.1.1). */
async function* frame(input: ByteReader): AsyncGenerator<Buffer> {
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(FRAME);
  yield magic;
  const descriptor = await exactly(input, 1);
  yield descriptor;
  const flags = descriptor.readUInt8(0);
  const singleSegment = (flags & 0x20) !== 0;
  const window = singleSegment ? 0 : 1;
  const dictionary = [0, 1, 2, 4][flags & 3] ?? 0;
  const contentSize = [singleSegment ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0;
  yield await exactly(input, window + dictionary + contentSize);
  for (let last = false; !last;) {
    const header = await exactly(input, 3);
    yield header;
    const bits = header.readUIntLE(0, 3);
    last = (bits & 1) !== 0;
    const runLength = ((bits >> 1) & 3) === 1;
    yield await exactly(input, runLength ? 1 : bits >> 3);
  }
  if ((flags & 4) !== 0) yield await exactly(input, 4);
}

async function exactly(input: ByteReader, size: number): Promise<Buffer> {
  const bytes = await input.take(size, '');
  if (bytes === undefined) throw broken('is cut short');
  return bytes;
}

function broken(how: string): MalformedTar {
  return new MalformedTar(`zstd stream ${how}`);
}

const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
