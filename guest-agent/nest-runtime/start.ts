import { closeSync, constants, openSync, rmSync, writeSync } from 'node:fs';
import type { Call } from './arguments.ts';
import { RuntimeError } from './errors.ts';
import { runHooks } from './hooks.ts';
import { stateOf } from './state.ts';
import { type Container, files, find, statusOf } from './store.ts';

export function start({ options, words }: Call): undefined {
  startContainer(find(options.root, words[0] ?? ''));
}

/** Lets the process that waits in the container go on to execve. */
export function startContainer(container: Container): void {
  const status = statusOf(container);
  if (status !== 'created') throw new RuntimeError(`start container \`${container.id}\`: it is ${status}, not created`);
  const { startFifo } = files(container.folder);
  // Non-blocking: without a reader the process is gone.
  const fifo = openSync(startFifo, constants.O_WRONLY | constants.O_NONBLOCK);
  rmSync(startFifo);
  writeSync(fifo, '\n');
  closeSync(fifo);
  runHooks(container.config.hooks?.poststart, stateOf(container, 'running'), 'ignore');
}
