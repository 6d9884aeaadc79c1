import { containerFolders } from '../folders.ts';
import type { Runtime } from '../runtime.ts';
import { type LogQuery, logOutput } from '../stdio/log-output.ts';
import { type Container, whenState } from './container.ts';

/** The container's log as frames. `follow`: until it has exited for good, `until` has passed, or the reader left. */
export async function* containerLogs(
  runtime: Runtime,
  container: Container,
  query: LogQuery,
  follow: boolean,
  left: AbortSignal,
): AsyncGenerator<Buffer> {
  const folder = containerFolders(runtime.folders, container.spec.id).log;
  if (!follow) {
    yield* logOutput(folder, container.log, query);
    return;
  }
  const over = new AbortController();
  void whenState(runtime, container, ({ status }) => status === 'exited', left).then(() => over.abort());
  const wait = query.until - runtime.clock.now();
  const cancel = wait < LONGEST_TIMER ? runtime.clock.after(Math.max(wait, 0), () => over.abort()) : () => {};
  try {
    yield* logOutput(folder, container.log, query, over.signal);
  } finally {
    cancel();
  }
}

/** Milliseconds; Node takes a longer timer for none. */
const LONGEST_TIMER = 2 ** 31 - 1;
