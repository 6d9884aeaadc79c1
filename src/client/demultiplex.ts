import type { Readable } from 'node:stream';
import { NestError } from '../errors.ts';
import type { Sinks } from './output.ts';

/** One frame of a stream without a terminal. */
export interface Frame {
  stream: 'stdout' | 'stderr';
  data: Buffer;
}

/**
 * The frames of Docker's multiplexed stream: `[1 byte: 0 stdin, 1 stdout, 2 stderr][3 zero bytes][uint32 big-endian
 * length][payload]` (Docker Engine API, ContainerAttach). A frame longer than what arrived is handed on in parts.
 */
export async function* frames(source: Readable): AsyncGenerator<Frame> {
  let buffer: Buffer = Buffer.alloc(0);
  let frame: { stream: Frame['stream']; left: number } | undefined;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
    while (buffer.length > 0) {
      if (!frame) {
        if (buffer.length < HEADER) break;
        frame = parseHeader(buffer);
        buffer = buffer.subarray(HEADER);
      }
      const data = buffer.subarray(0, frame.left);
      buffer = buffer.subarray(data.length);
      frame.left -= data.length;
      if (data.length > 0) yield { stream: frame.stream, data };
      if (frame.left === 0) frame = undefined;
      else break;
    }
  }
}

/** Copies a multiplexed stream, never faster than the slower of the two readers takes it. */
export async function demultiplex(source: Readable, sinks: Sinks): Promise<void> {
  for await (const { stream, data } of frames(source)) await sinks[stream].write(data);
  await sinks.stdout.end();
  await sinks.stderr.end();
}

function parseHeader(buffer: Buffer): { stream: Frame['stream']; left: number } {
  const type = buffer.readUInt8(0);
  if (type > 2) throw new NestError('internal', `read a container's output: frame of unknown type ${type}`);
  return { stream: type === 2 ? 'stderr' : 'stdout', left: buffer.readUInt32BE(4) };
}

const HEADER = 8;
