import type { OutputStream } from './frame.ts';

/** What one stream wrote, at most ENTRY_LIMIT bytes of it: part of a line, a line or several, as they were read. */
export interface LogEntry {
  /** Milliseconds since 1970. */
  time: number;
  stream: OutputStream;
  /** One character for each byte (latin1), so that any bytes survive JSON. */
  data: string;
}

/** Docker splits a line longer than this into partial entries. */
export const ENTRY_LIMIT = 16 * 1024;

/** The entries that `chunk` needs. One ends with a line's end where there is one. */
export function splitIntoEntries(time: number, stream: OutputStream, chunk: Buffer): LogEntry[] {
  const entries: LogEntry[] = [];
  for (let start = 0; start < chunk.length;) {
    const end = entryEnd(chunk, start);
    entries.push({ time, stream, data: chunk.toString('latin1', start, end) });
    start = end;
  }
  return entries;
}

/** One line of JSON. */
export const encodeEntry = ({ time, stream, data }: LogEntry) => `${JSON.stringify({ t: time, s: stream, d: data })}\n`;

/** An entry of a log file, or undefined for a line that a crash of the guest left incomplete. */
export function decodeEntry(line: string): LogEntry | undefined {
  try {
    const { t, s, d } = JSON.parse(line) as Record<string, unknown>;
    if (typeof t !== 'number' || (s !== 1 && s !== 2) || typeof d !== 'string') return undefined;
    return { time: t, stream: s, data: d };
  } catch {
    return undefined;
  }
}

function entryEnd(chunk: Buffer, start: number): number {
  const limit = Math.min(start + ENTRY_LIMIT, chunk.length);
  if (limit === chunk.length) return limit;
  const newline = chunk.lastIndexOf(NEWLINE, limit - 1);
  return newline >= start ? newline + 1 : limit;
}

const NEWLINE = 0x0a;
