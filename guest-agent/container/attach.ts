import type { ServerHttp2Stream } from 'node:http2';
import { containerFolders } from '../folders.ts';
import type { Runtime } from '../runtime.ts';
import { frame } from '../stdio/frame.ts';
import type { LogEntry } from '../stdio/log-entry.ts';
import { logStart, readLog } from '../stdio/log-reader.ts';
import { type Container, whenState } from './container.ts';

/**
 * The container's output as frames, from now on or from the beginning, until it exits for good; one that does not run is
 * waited for. Output comes from the log, so a slow reader delays neither the container nor others.
 */
export function attachOutput(
  runtime: Runtime,
  container: Container,
  fromBeginning: boolean,
  left: AbortSignal,
): AsyncGenerator<Buffer> {
  const folder = containerFolders(runtime.folders, container.spec.id).log;
  const from = fromBeginning ? logStart(folder) : container.log.end();
  const { finishedAt } = container.state;
  const over = new AbortController();
  void whenState(
    runtime,
    container,
    (state) => state.status === 'exited' && state.finishedAt !== finishedAt,
    left,
  ).then(() => over.abort());
  return framed(readLog(folder, container.log, from, over.signal));
}

async function* framed(log: AsyncIterable<LogEntry[]>): AsyncGenerator<Buffer> {
  for await (const entries of log)
    yield Buffer.concat(entries.map(({ stream, data }) => frame(stream, Buffer.from(data, 'latin1'))));
}

/**
 * Feeds `input` to the container's stdin, once it runs. Its end is the end of file that the container reads; an input
 * that breaks off leaves stdin open, so that the next one can go on.
 */
export async function attachInput(
  runtime: Runtime,
  container: Container,
  input: ServerHttp2Stream,
  left: AbortSignal,
): Promise<void> {
  await whenState(runtime, container, () => container.run !== undefined, left);
  const stdin = container.run?.stdin;
  if (stdin === undefined) {
    input.resume();
    return;
  }
  input.pipe(stdin, { end: false });
  input.once('end', () => {
    // A terminal stays: whoever comes next types on.
    if (!input.aborted && container.spec.terminal === undefined) stdin.end();
  });
}
