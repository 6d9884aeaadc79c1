import { FRAME_LIMIT } from '../api.ts';

export type OutputStream = 1 | 2;

export const STDOUT: OutputStream = 1;
export const STDERR: OutputStream = 2;

/** Frames of the Docker Engine API around `payload`, each of at most FRAME_LIMIT bytes: see api.ts. */
export function frame(stream: OutputStream, payload: Buffer): Buffer {
  const frames: Buffer[] = [];
  for (let start = 0; start < payload.length; start += FRAME_LIMIT) {
    const part = payload.subarray(start, start + FRAME_LIMIT);
    const header = Buffer.alloc(HEADER_LENGTH);
    header[0] = stream;
    header.writeUInt32BE(part.length, 4);
    frames.push(header, part);
  }
  return Buffer.concat(frames);
}

const HEADER_LENGTH = 8;
