import { pipeline, Transform, type Readable } from 'node:stream';
import { FRAME_LIMIT } from '../../../guest-agent/api.ts';
import { byteReader } from '../../../guest-agent/tar/byte-reader.ts';
import { NestError } from '../../errors.ts';

/** Which streams a client wants. */
export interface Selection {
  stdout: boolean;
  stderr: boolean;
}

/**
 * The frames of the selected streams, or with `framed` false what is in them, once it is sure that they are frames of stdout or stderr no longer than FRAME_LIMIT:
 * they come from a guest and go to a client that trusts their lengths. A stream that is not ends with an error.
 */
export function checkedFrames(source: Readable, selected: Selection, framed = true): Readable {
  let header = Buffer.alloc(0);
  let payloadLeft = 0;
  let wanted = true;
  const transform = (chunk: Buffer) => {
    const kept: Buffer[] = [];
    for (let at = 0; at < chunk.length;) {
      if (payloadLeft > 0) {
        const payload = chunk.subarray(at, at + payloadLeft);
        if (wanted) kept.push(payload);
        payloadLeft -= payload.length;
        at += payload.length;
        continue;
      }
      const part = chunk.subarray(at, at + HEADER_BYTES - header.length);
      header = Buffer.concat([header, part]);
      at += part.length;
      if (header.length < HEADER_BYTES) break;
      payloadLeft = payloadLength(header);
      wanted = header[0] === STDOUT ? selected.stdout : selected.stderr;
      if (wanted && framed) kept.push(header);
      header = Buffer.alloc(0);
    }
    return Buffer.concat(kept);
  };
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        done(null, transform(chunk));
      } catch (error) {
        done(error as Error);
      }
    },
  });
  pipeline(source, check, () => undefined);
  return check;
}

/** What checked frames hold, without telling their streams apart. */
export async function* payloads(frames: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = byteReader(frames, () => new NestError('guest-lost', 'read output: it ends in the middle of a frame'));
  for (
    let header = await input.take(HEADER_BYTES, '');
    header !== undefined;
    header = await input.take(HEADER_BYTES, '')
  )
    for (let left = header.readUInt32BE(4); left > 0;) {
      const part = await input.some(left, '');
      left -= part.length;
      yield part;
    }
}

function payloadLength(header: Buffer): number {
  const stream = header[0];
  const length = header.readUInt32BE(4);
  if ((stream === STDOUT || stream === STDERR) && header.readUIntBE(1, 3) === 0 && length <= FRAME_LIMIT) return length;
  throw new NestError('guest-lost', `read output: not a frame: ${header.toString('hex')}`, {
    hint: 'the guest sent what its agent never sends: do not trust it any more',
  });
}

const HEADER_BYTES = 8;
const STDOUT = 1;
const STDERR = 2;
