import { readSync } from 'node:fs';
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
 * @param receive gets each chunk as it was read
 */
export function openTerminalStreams(fd: number, receive: (chunk: Buffer) => void): TerminalStreams {
  const stream = new ReadStream(fd);
  stream.on('data', receive);
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
      for (let chunk = readNow(fd); chunk.length > 0; chunk = readNow(fd)) receive(chunk);
      stream.destroy();
    },
  };
  return { fd, capture, input: stream };
}

/** Nothing when there is nothing now, or will never be: a terminal whose last user has gone gives EIO. */
function readNow(fd: number): Buffer {
  try {
    const chunk = Buffer.alloc(4096);
    return chunk.subarray(0, readSync(fd, chunk));
  } catch (error) {
    if (['EAGAIN', 'EIO'].includes(errnoOf(error) ?? '')) return Buffer.alloc(0);
    throw error;
  }
}
