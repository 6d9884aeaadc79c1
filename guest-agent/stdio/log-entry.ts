import type { OutputStream } from './frame.ts';

/** What one stream wrote: part of a line, a line or several, as they were read. */
export interface LogEntry {
  /** Milliseconds since 1970. */
  time: number;
  stream: OutputStream;
  /** One character for each byte (latin1), so that any bytes survive JSON. */
  data: string;
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
