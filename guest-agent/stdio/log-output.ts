import { frame, type OutputStream, STDOUT } from './frame.ts';
import type { LogEntry } from './log-entry.ts';
import type { LogFile } from './log-file.ts';
import { logStart, readLog } from './log-reader.ts';
import { findTail } from './log-tail.ts';

export interface LogQuery {
  stdout: boolean;
  stderr: boolean;
  /** Number of last lines; undefined is all. */
  tail: number | undefined;
  /** Milliseconds since 1970, both inclusive. */
  since: number;
  until: number;
  /** RFC 3339 with nanoseconds before each line, as docker prints it. */
  timestamps: boolean;
}

/** The log as frames. `follow`: go on until it is aborted or `until` has passed. */
export async function* logOutput(
  folder: string,
  log: LogFile,
  query: LogQuery,
  follow?: AbortSignal,
): AsyncGenerator<Buffer> {
  const wanted = (entry: LogEntry) =>
    (entry.stream === STDOUT ? query.stdout : query.stderr) && entry.time >= query.since && entry.time <= query.until;
  const tail = query.tail === undefined ? undefined : await findTail(folder, query.tail, wanted);
  const prefix = query.timestamps ? lineStamper() : (entry: LogEntry) => entry.data;
  let skip = tail?.skip ?? 0;
  for await (const entries of readLog(folder, log, tail ?? logStart(folder), follow)) {
    const frames: Buffer[] = [];
    for (const entry of entries) {
      if (!wanted(entry)) continue;
      const data = prefix({ ...entry, data: entry.data.slice(skip) });
      skip = 0;
      if (data !== '') frames.push(frame(entry.stream, Buffer.from(data, 'latin1')));
    }
    if (frames.length > 0) yield Buffer.concat(frames);
    if (entries.some((entry) => entry.time > query.until)) return;
  }
}

/** Stamps each line where it begins: a line may be spread over several entries of its stream. */
function lineStamper(): (entry: LogEntry) => string {
  const inLine = new Set<OutputStream>();
  return ({ time, stream, data }) => {
    if (data === '') return '';
    const stamp = `${new Date(time).toISOString().slice(0, -1)}000000Z `;
    const stamped = data.replace(/\n(?!$)/g, `\n${stamp}`);
    const start = inLine.has(stream) ? '' : stamp;
    if (data.endsWith('\n')) inLine.delete(stream);
    else inLine.add(stream);
    return start + stamped;
  };
}
