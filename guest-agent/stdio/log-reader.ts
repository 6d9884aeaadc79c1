import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf } from '../errors.ts';
import { decodeEntry, type LogEntry } from './log-entry.ts';
import { type LogFile, type LogPosition, segmentPath, segments } from './log-file.ts';

/**
 * The log's entries from `from` on, in the order they were written, as many at a time as one read gave. The reader pulls:
 * one that is slower than the container finds what it has not read in the file, unless the log has been rotated past it.
 *
 * @param follow wait for more at the end, until it is aborted; then the rest is read
 */
export async function* readLog(
  folder: string,
  log: LogFile,
  from: LogPosition,
  follow?: AbortSignal,
): AsyncGenerator<LogEntry[]> {
  let { segment, offset } = from;
  for (;;) {
    const last = follow === undefined || follow.aborted;
    const latest = log.latest();
    if (latest?.from.segment === segment && latest.from.offset === offset) {
      offset = latest.end.offset;
      yield [latest.entry];
      continue;
    }
    const end = log.end();
    if (end.segment === segment && end.offset === offset) {
      if (last) return;
      await log.grown(follow);
      continue;
    }
    for await (const batch of readSegment(folder, segment, offset)) {
      offset = batch.end;
      if (batch.entries.length > 0) yield batch.entries;
    }
    const next = segments(folder).find((number) => number > segment);
    if (next !== undefined) {
      segment = next;
      offset = 0;
    }
  }
}

/** The oldest place that is still kept. */
export const logStart = (folder: string): LogPosition => ({ segment: segments(folder)[0] ?? 1, offset: 0 });

async function* readSegment(
  folder: string,
  segment: number,
  from: number,
): AsyncGenerator<{ entries: LogEntry[]; end: number }> {
  await using file = await openIfThere(segmentPath(folder, segment));
  if (file === undefined) return;
  let buffer = Buffer.alloc(BLOCK);
  let held = 0;
  for (let position = from; ;) {
    if (held === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
    const { bytesRead } = await file.read(buffer, held, buffer.length - held, position + held);
    if (bytesRead === 0) return;
    held += bytesRead;
    const complete = buffer.lastIndexOf(NEWLINE, held - 1) + 1;
    if (complete === 0) continue;
    const lines = buffer.toString('utf8', 0, complete).split('\n');
    buffer.copy(buffer, 0, complete, held);
    held -= complete;
    position += complete;
    yield { entries: lines.map(decodeEntry).filter((entry) => entry !== undefined), end: position };
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

const BLOCK = 64 * 1024;
const NEWLINE = 0x0a;
