import { freezeCgroup, thawCgroup } from '../cgroup/freezer.ts';
import type { Call } from './arguments.ts';
import { RuntimeError } from './errors.ts';
import { find, statusOf } from './store.ts';

/** Pausing a paused container succeeds. */
export const pause = (call: Call) => change(call, freezeCgroup);
export const resume = (call: Call) => change(call, thawCgroup);

function change({ command, options, words }: Call, action: (cgroup: string) => unknown): undefined {
  const container = find(options.root, words[0] ?? '');
  const status = statusOf(container);
  if (status === 'stopped') throw new RuntimeError(`${command} container \`${container.id}\`: it is stopped`);
  action(container.cgroup);
  return undefined;
}
