import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Call } from './arguments.ts';
import { processesOf } from './kill.ts';
import { print } from './list.ts';
import { find } from './store.ts';

/** As a table, with ps(1)'s columns where there is one, or the process ids as JSON. */
export function ps({ options, flags, words }: Call): undefined {
  const pids = processesOf(find(options.root, words[0] ?? '').cgroup);
  if (flags['format'] === 'json') console.log(JSON.stringify(pids));
  else if (words.length > 1) withPs(words.slice(1), pids);
  else print([['PID', 'COMMAND'], ...pids.map((pid) => [String(pid), commandOf(pid)])]);
  return undefined;
}

/** Its own options, of which all but the container's processes are left out. */
function withPs(args: string[], pids: number[]): void {
  const { stdout } = spawnSync('ps', args, { encoding: 'utf8' });
  const [head = '', ...lines] = stdout.trimEnd().split('\n');
  const column = head.trim().split(/\s+/).indexOf('PID');
  console.log(head);
  for (const line of lines) if (pids.includes(Number(line.trim().split(/\s+/)[column]))) console.log(line);
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
