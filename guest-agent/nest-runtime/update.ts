import { readFileSync } from 'node:fs';
import { Resources } from '../oci/config.ts';
import { problems } from '../oci/problems.ts';
import { applyResources } from '../oci/resources.ts';
import type { Call } from './arguments.ts';
import { RuntimeError } from './errors.ts';
import { find, statusOf } from './store.ts';

/** What is not named stays. Limits come from a file (`-` is stdin), or from flags. */
export function update({ options, flags, words }: Call): undefined {
  const container = find(options.root, words[0] ?? '');
  if (statusOf(container) === 'stopped') throw new RuntimeError(`update container \`${container.id}\`: it is stopped`);
  const file = flags['resources'];
  const asked: unknown =
    typeof file === 'string' ? JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8')) : fromFlags(flags);
  applyResources(container.cgroup, problems.parse(Resources, asked, 'resources'));
  return undefined;
}

function fromFlags(flags: Call['flags']): Resources {
  const number = (name: string) => (typeof flags[name] === 'string' ? Number(flags[name]) : undefined);
  const text = (name: string) => (typeof flags[name] === 'string' ? flags[name] : undefined);
  const pids = number('pids-limit');
  return {
    memory: { limit: number('memory'), reservation: number('memory-reservation'), swap: number('memory-swap') },
    cpu: {
      quota: number('cpu-quota'),
      period: number('cpu-period'),
      shares: number('cpu-share'),
      cpus: text('cpuset-cpus'),
      mems: text('cpuset-mems'),
    },
    ...(pids !== undefined && { pids: { limit: pids } }),
    ...(number('blkio-weight') !== undefined && { blockIO: { weight: number('blkio-weight') } }),
  };
}
