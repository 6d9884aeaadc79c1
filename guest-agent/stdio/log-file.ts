import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { LogLimits } from '../api.ts';
import { report } from '../errors.ts';
import type { OutputStream } from './frame.ts';
import { encodeEntry, type LogEntry } from './log-entry.ts';

/** A place between two entries. */
export interface LogPosition {
  segment: number;
  /** Bytes from the segment's start. */
  offset: number;
}

export interface Appended {
  from: LogPosition;
  entry: LogEntry;
  end: LogPosition;
}

/**
 * A container's log: numbered segments of JSON lines, of which the newest ones are kept. A segment is only ever appended
 * to, so readers need nothing but its number and an offset.
 */
export interface LogFile {
  /**
   * Writes at once, before more is read from the container: what was read is in the page cache when the agent is killed,
   * memory stays bounded, and a slow disk slows the container down instead. What a full disk refuses is dropped.
   */
  append(time: number, stream: OutputStream, chunk: Buffer): void;
  /** Where the next entry will be. */
  end(): LogPosition;
  /** What was appended last: a reader that has kept up need not read it from the file. */
  latest(): Appended | undefined;
  /** Resolves with the next append or when `signal` is aborted. */
  grown(signal: AbortSignal): Promise<void>;
  /** Opens the file ahead of the first append. */
  open(): void;
  /** Gives the file descriptor back; the next append opens it again. */
  close(): void;
}

/** @param limits bytes after which the next segment begins, and how many are kept */
export function openLog(folder: string, limits: LogLimits = LIMITS): LogFile {
  let segment: number | undefined;
  let file: { fd: number; size: number } | undefined;
  let refused = false;
  let latest: Appended | undefined;
  let grown = Promise.withResolvers<void>();

  const current = () => (segment ??= segments(folder).at(-1) ?? 1);
  const open = () => {
    if (file !== undefined) return file;
    mkdirSync(folder, { recursive: true });
    return (file = openSegment(segmentPath(folder, current())));
  };
  const close = () => {
    if (file !== undefined) closeSync(file.fd);
    file = undefined;
    latest = undefined;
  };
  const rotate = () => {
    close();
    const next = (segment = current() + 1);
    for (const old of segments(folder)) if (old <= next - limits.files) rmSync(segmentPath(folder, old));
    return open();
  };

  return {
    append(time, stream, chunk) {
      try {
        let target = open();
        if (target.size >= limits.size) target = rotate();
        const entry = { time, stream, data: chunk.toString('latin1') };
        const from = { segment: current(), offset: target.size };
        target.size = writeWhole(target.fd, target.size, encodeEntry(entry));
        latest = { from, entry, end: { segment: from.segment, offset: target.size } };
        refused = false;
      } catch (error) {
        if (!refused) report(`write log \`${folder}\``, error);
        refused = true;
        return;
      }
      grown.resolve();
      grown = Promise.withResolvers();
    },
    end() {
      const size = file?.size ?? statSync(segmentPath(folder, current()), { throwIfNoEntry: false })?.size;
      return { segment: current(), offset: size ?? 0 };
    },
    latest: () => latest,
    open: () => void open(),
    async grown(signal) {
      if (signal.aborted) return;
      const aborted = Promise.withResolvers<void>();
      const abort = () => aborted.resolve();
      signal.addEventListener('abort', abort);
      await Promise.race([grown.promise, aborted.promise]);
      signal.removeEventListener('abort', abort);
    },
    close,
  };
}

/** Numbers of the segments that exist, oldest first; none when the container was deleted. */
export function segments(folder: string): number[] {
  return (existsSync(folder) ? readdirSync(folder) : [])
    .map((name) => Number(SEGMENT_NAME.exec(name)?.[1]))
    .filter((segment) => segment > 0)
    .sort((a, b) => a - b);
}

export const segmentPath = (folder: string, segment: number) => join(folder, `${segment}.jsonl`);

/** Opens for appending, without the entry that a crash left incomplete. */
function openSegment(path: string): { fd: number; size: number } {
  const fd = openSync(path, 'a+', 0o600);
  const { size } = fstatSync(fd);
  const start = Math.max(0, size - LONGEST_LINE);
  const end = Buffer.alloc(size - start);
  const complete = start + end.lastIndexOf('\n', readSync(fd, end, 0, end.length, start)) + 1;
  if (complete < size) ftruncateSync(fd, complete);
  return { fd, size: complete };
}

/** All of `text` or nothing: readers never see half an entry. Returns the new size. */
function writeWhole(fd: number, size: number, text: string): number {
  const bytes = Buffer.from(text);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
  } catch (error) {
    ftruncateSync(fd, size);
    throw error;
  }
  return size + bytes.length;
}

/** Bytes of an entry of 16 KiB, each of which JSON wrote with six, and what is around them. */
const LONGEST_LINE = 6 * 16 * 1024 + 100;
const LIMITS: LogLimits = { size: 10 * 1024 * 1024, files: 2 };
const SEGMENT_NAME = /^([1-9][0-9]{0,14})\.jsonl$/;
