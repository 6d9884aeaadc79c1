import type { Clock } from '../clock.ts';
import type { Kernel } from '../runtime.ts';
import type { OutputStream } from './frame.ts';
import type { LogFile, LogPosition } from './log-file.ts';

/**
 * Output between the FIFO, which has it no more once it is read, and the log, which does not have it yet. It is read into
 * memory that is a file, in the system call that takes it from the FIFO, so that an agent that is killed at any instruction
 * leaves it to the next one.
 */
export interface Unlogged {
  /** What to read into, at most one entry of the log at a time. */
  buffer: Buffer;
  /** Logs `chunk`, which is the beginning of the buffer. Without a log, it is dropped. */
  receive(this: void, chunk: Buffer): void;
  /** Where to log from now on. */
  connect(log: LogFile, clock: Pick<Clock, 'now'>): void;
  /**
   * Logs what an earlier agent was killed with. Of a chunk whose length it did not live to write down, NUL bytes at its end
   * cannot be told from the empty buffer, and are lost.
   */
  recover(): void;
  /** Nothing may be read into the buffer any more. */
  close(): void;
}

/** @param path the file, on a tmpfs */
export function openUnlogged(kernel: Pick<Kernel, 'mapFile'>, path: string, stream: OutputStream): Unlogged {
  const { bytes, unmap } = kernel.mapFile(path, FILE_SIZE);
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_SIZE);
  const buffer = bytes.subarray(HEADER_SIZE);
  let connected: { log: LogFile; clock: Pick<Clock, 'now'> } | undefined;
  let open = true;

  const stage = (value: number) => header.setUint32(STAGE, value);
  const receive = (chunk: Buffer) => {
    if (connected !== undefined) {
      const { log, clock } = connected;
      const { segment, offset } = log.end();
      header.setUint32(LENGTH, chunk.length);
      header.setFloat64(SEGMENT, segment);
      header.setFloat64(OFFSET, offset);
      stage(LOGGING);
      log.append(clock.now(), stream, chunk);
      stage(LOGGED);
    }
    chunk.fill(0);
    stage(EMPTY);
  };
  const leftBehind = (log: LogFile): number => {
    switch (header.getUint32(STAGE)) {
      case EMPTY:
        return endOfBytes(buffer);
      case LOGGING: {
        log.open(); // which takes half an entry away
        const begun = { segment: header.getFloat64(SEGMENT), offset: header.getFloat64(OFFSET) };
        return isBeyond(log.end(), begun) ? 0 : header.getUint32(LENGTH);
      }
      default:
        return 0;
    }
  };

  return {
    buffer,
    receive,
    connect(log, clock) {
      connected = { log, clock };
    },
    recover() {
      if (connected === undefined) return;
      const length = leftBehind(connected.log);
      if (length > 0) receive(buffer.subarray(0, length));
      buffer.fill(0);
      stage(EMPTY);
    },
    close() {
      if (open) unmap();
      open = false;
    },
  };
}

/** Whether something was written since the log ended at `begun`. A segment begins before its first entry is written. */
const isBeyond = (end: LogPosition, begun: LogPosition) =>
  end.segment === begun.segment ? end.offset > begun.offset : end.offset > 0;

function endOfBytes(buffer: Buffer): number {
  let end = buffer.length;
  while (end > 0 && buffer[end - 1] === 0) end -= 1;
  return end;
}

/** Bytes that one entry of the log has at most, with what the file begins with. */
const FILE_SIZE = 16 * 1024;

/** What the file begins with: the stage of what follows, its length, and where the log ended before it. */
const STAGE = 0;
const LENGTH = 4;
const SEGMENT = 8;
const OFFSET = 16;
const HEADER_SIZE = 24;

/** Nothing, or what has just been read. */
const EMPTY = 0;
const LOGGING = 1;
const LOGGED = 2;
