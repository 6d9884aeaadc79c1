import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { NestError } from '../errors.ts';

/** The lines of a stream without their ends, empty ones left out. Docker ends its lines with CR LF, nest with LF. */
export async function* lines(stream: Readable): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const parts = (rest + decoder.write(chunk)).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > MAX_LINE) throw new NestError('internal', 'read a stream of the engine: line longer than 1 MiB');
    for (const part of parts) if (part.trim() !== '') yield part.trim();
  }
  rest += decoder.end();
  if (rest.trim() !== '') yield rest.trim();
}

const MAX_LINE = 1024 * 1024;
