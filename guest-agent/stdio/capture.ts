import { constants, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { errnoOf, report } from '../errors.ts';

/** Reads what a process writes to a FIFO. */
export interface Capture {
  pause(this: void): void;
  resume(this: void): void;
  /** Hands over everything that is in the FIFO now, then closes it. */
  finish(): void;
}

/**
 * `receive` gets each chunk as it was read, nothing is held back in memory; the chunk's memory is used again afterwards.
 * It is `buffer`, from its beginning: one for all FIFOs where none is given.
 *
 * The FIFO is opened for both directions, so that its end is not taken for closed before the process has opened it: the
 * process's end shows in its exit, never here.
 */
export function captureFifo(path: string, receive: (chunk: Buffer) => void, buffer: Buffer = SHARED): Capture {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({
    fd,
    writable: false,
    onread: {
      buffer,
      callback(length) {
        receive(buffer.subarray(0, length));
        return true;
      },
    },
  });
  socket.on('error', (error) => report(`read \`${path}\``, error));
  return {
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    finish() {
      socket.pause();
      if (socket.destroyed) return;
      for (let rest = READ_LIMIT; rest > 0;) {
        const length = readNow(fd, buffer);
        if (length === 0) break;
        receive(buffer.subarray(0, length));
        rest -= length;
      }
      socket.destroy();
    },
  };
}

function readNow(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return 0;
    throw error;
  }
}

/** Each chunk is used up before the next read. */
const SHARED = Buffer.alloc(64 * 1024);

/** What a FIFO can hold at most (pipe-max-size of an ordinary user): a process that goes on writing ends no drain. */
const READ_LIMIT = 1024 * 1024 + SHARED.length;
