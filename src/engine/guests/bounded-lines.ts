import type { Readable } from 'node:stream';
import { NestError } from '../../errors.ts';

/** The lines of a stream from a guest. @param limit bytes that one may have */
export async function* boundedLines(stream: Readable, limit: number): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      parts.push(chunk.subarray(from, end));
      yield Buffer.concat(parts).toString('utf8');
      parts = [];
      length = 0;
      from = end + 1;
    }
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > limit) throw new NestError('guest-lost', `read a guest's words: line longer than ${limit} bytes`);
  }
}

const NEWLINE = 0x0a;
