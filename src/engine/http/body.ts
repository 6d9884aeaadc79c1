import type { Readable } from 'node:stream';
import type * as v from 'valibot';
import { NestError } from '../../errors.ts';
import { parseInput } from '../input.ts';

/** A whole body, at most BODY_LIMIT bytes. */
export async function readBody(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_LIMIT) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Exactly the next `length` bytes of a connection whose HTTP parser is gone; what follows them stays unread. */
export async function takeBytes(socket: Readable, length: number): Promise<Buffer> {
  if (length > BODY_LIMIT) throw tooLong();
  if (length === 0) return Buffer.alloc(0);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const take = () => {
    const bytes = socket.read(length) as Buffer | null;
    if (bytes === null) return;
    if (bytes.length === length) resolve(bytes);
    else reject(new NestError('invalid-input', 'read the request: its body is shorter than its Content-Length'));
  };
  const closed = () => reject(new NestError('cancelled', 'read the request: the connection was closed'));
  socket.on('readable', take).once('close', closed);
  take();
  return promise.finally(() => socket.off('readable', take).off('close', closed));
}

export function parseBody<S extends v.GenericSchema>(bytes: Buffer, schema: S): v.InferOutput<S> {
  return parseInput(schema, bytes.length === 0 ? {} : toJson(bytes), 'read the request');
}

function toJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new NestError('invalid-input', 'read the request: its body is not JSON', { cause: error });
  }
}

function tooLong(): NestError {
  return new NestError('invalid-input', `read the request: its body is longer than ${BODY_LIMIT} bytes`);
}

/** A deploy file is at most 1 MiB, and JSON may double it. */
const BODY_LIMIT = 4 * 1024 * 1024;
