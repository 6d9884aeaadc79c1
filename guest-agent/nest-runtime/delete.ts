import { constants } from 'node:os';
import type { Call } from './arguments.ts';
import { removeContainerCgroup } from './cgroup.ts';
import { RuntimeError } from './errors.ts';
import { runHooks } from './hooks.ts';
import { stateOf } from './state.ts';
import { type Container, find, forget, ids, statusOf } from './store.ts';

/** With --force a container that runs is killed, and one that is not there was removed. */
export function deleteContainer({ options, flags, words }: Call): undefined {
  const id = words[0] ?? '';
  const force = flags['force'] === true;
  if (force && !ids(options.root).includes(id)) return undefined;
  const container = find(options.root, id);
  const status = statusOf(container);
  if (status === 'created' || (force && status !== 'stopped')) killFirst(container);
  else if (status !== 'stopped')
    throw new RuntimeError(`delete container \`${id}\`: it is ${status}; kill it first, or use --force`);
  removeContainer(container);
  return undefined;
}

/** The cgroup takes what is left of its processes with it. The name is free last. */
export function removeContainer(container: Container): void {
  removeContainerCgroup(container.cgroup);
  runHooks(container.config.hooks?.poststop, stateOf(container, 'stopped'), 'ignore');
  forget(container.folder);
}

function killFirst({ pid }: Container): void {
  try {
    process.kill(pid, constants.signals.SIGKILL);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
