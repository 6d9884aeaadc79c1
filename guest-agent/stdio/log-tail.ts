import { open } from 'node:fs/promises';
import { decodeEntry, type LogEntry } from './log-entry.ts';
import { type LogPosition, segmentPath, segments } from './log-file.ts';

/** Where the last lines begin: `skip` bytes of the first entry belong to earlier lines. */
export interface TailStart extends LogPosition {
  skip: number;
}

/**
 * Where the last `count` lines among the `wanted` entries begin. Reads the log backwards, so that its cost follows the
 * number of lines asked for, not the log's length.
 */
export async function findTail(
  folder: string,
  count: number,
  wanted: (entry: LogEntry) => boolean,
): Promise<TailStart | undefined> {
  // A line ends with its newline or with the log, so the text before the first newline counts as a line too.
  let newlines = 0;
  let last = true;
  for await (const { entry, position } of backwards(folder)) {
    if (!wanted(entry)) continue;
    if (last && !entry.data.endsWith('\n')) newlines += 1;
    if (last && count === 0) return { ...position, skip: entry.data.length };
    last = false;
    for (let at = entry.data.lastIndexOf('\n'); at !== -1; at = at === 0 ? -1 : entry.data.lastIndexOf('\n', at - 1)) {
      newlines += 1;
      if (newlines > count) return { ...position, skip: at + 1 };
    }
  }
  return undefined;
}

async function* backwards(folder: string): AsyncGenerator<{ entry: LogEntry; position: LogPosition }> {
  for (const segment of segments(folder).reverse()) {
    await using file = await open(segmentPath(folder, segment));
    let { size: start } = await file.stat();
    let carried = Buffer.alloc(0);
    while (start > 0) {
      const length = Math.min(BLOCK, start);
      const block = Buffer.alloc(length);
      const { bytesRead } = await file.read(block, 0, length, start - length);
      if (bytesRead !== length) return;
      start -= length;
      const bytes = Buffer.concat([block, carried]);
      // What comes before the first line's end may be the rest of a line that begins in an earlier block.
      const first = start === 0 ? 0 : bytes.indexOf(NEWLINE) + 1;
      yield* entriesBackwards(bytes, first, { segment, offset: start });
      carried = bytes.subarray(0, first);
    }
  }
}

function* entriesBackwards(bytes: Buffer, first: number, base: LogPosition) {
  let end = bytes.length;
  while (end > first) {
    const begin = Math.max(first, bytes.lastIndexOf(NEWLINE, end - 2) + 1);
    const entry = decodeEntry(bytes.toString('utf8', begin, end));
    if (entry !== undefined) yield { entry, position: { segment: base.segment, offset: base.offset + begin } };
    end = begin;
  }
}

const BLOCK = 64 * 1024;
const NEWLINE = 0x0a;
