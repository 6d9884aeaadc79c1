import { readSync } from 'node:fs';
import type { OnReadOpts } from 'node:net';
import type { Writable } from 'node:stream';
import { ReadStream } from 'node:tty';
import { errnoOf, report } from '../errors.ts';
import type { Capture } from './capture.ts';

/** The agent's end of a process's terminal: what it shows, and what is typed. */
export interface TerminalStreams {
  fd: number;
  capture: Capture;
  input: Writable;
}

/**
 * @param fd the other end of the terminal, which is closed in the end
 * @param receive gets each chunk as it was read: the beginning of `buffer`, which is used again afterwards
 */
export function openTerminalStreams(
  fd: number,
  receive: (chunk: Buffer) => void,
  buffer: Buffer = Buffer.alloc(4096),
): TerminalStreams {
  const onread: OnReadOpts = {
    buffer,
    callback(length) {
      receive(buffer.subarray(0, length));
      return true;
    },
  };
  // Handed to the Socket that it is.
  const stream = new ReadStream(fd, { onread });
  stream.resume();
  stream.on('error', (error) => {
    // EIO: nobody has the terminal open any more; the process's end shows in its exit.
    if (errnoOf(error) !== 'EIO') report('read a terminal', error);
  });
  const capture: Capture = {
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    finish() {
      if (stream.destroyed) return;
      stream.pause();
      for (let length = readNow(fd, buffer); length > 0; length = readNow(fd, buffer))
        receive(buffer.subarray(0, length));
      stream.destroy();
    },
  };
  return { fd, capture, input: stream };
}

/** Number of bytes, 0 when there is nothing now, or will never be: a terminal whose last user has gone gives EIO. */
function readNow(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    if (['EAGAIN', 'EIO'].includes(errnoOf(error) ?? '')) return 0;
    throw error;
  }
}
