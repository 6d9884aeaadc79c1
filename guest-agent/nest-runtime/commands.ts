import type { Call, Options } from './arguments.ts';
import { create, run } from './create.ts';
import { deleteContainer } from './delete.ts';
import { events } from './events.ts';
import { exec } from './exec.ts';
import { features } from './features.ts';
import { kill } from './kill.ts';
import { list } from './list.ts';
import { pause, resume } from './pause.ts';
import { ps } from './ps.ts';
import { spec } from './spec.ts';
import { start } from './start.ts';
import { state } from './state.ts';
import { update } from './update.ts';

export interface Command {
  summary: string;
  /** As the usage shows them. */
  words: string;
  options: Options;
  /** False: options end at the first word. */
  interspersed?: false;
  /** @returns exit status, 0 by default */
  run(call: Call): number | undefined | Promise<number | undefined>;
}

const value = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

const CREATE: Options = {
  bundle: { ...value, short: 'b' },
  'console-socket': value,
  'pid-file': value,
  'preserve-fds': value,
  'no-pivot': flag,
  'no-new-keyring': flag,
};

/** The commands of the program, each in the file of its name. */
export const COMMANDS = {
  create: {
    summary: 'Make a container from a bundle; its program waits for start',
    words: 'ID',
    options: CREATE,
    run: create,
  },
  start: { summary: 'Run the program of a created container', words: 'ID', options: {}, run: start },
  state: { summary: 'Print the state of a container as JSON', words: 'ID', options: {}, run: state },
  kill: {
    summary: 'Send a signal to a container',
    words: 'ID [SIGNAL]',
    options: { all: { ...flag, short: 'a' } },
    run: kill,
  },
  delete: {
    summary: 'Remove what a container that has ended left',
    words: 'ID',
    options: { force: { ...flag, short: 'f' } },
    run: deleteContainer,
  },
  exec: {
    summary: 'Run a further process in a container',
    words: 'ID COMMAND...',
    interspersed: false,
    options: {
      process: { ...value, short: 'p' },
      'console-socket': value,
      'pid-file': value,
      'preserve-fds': value,
      detach: { ...flag, short: 'd' },
      tty: { ...flag, short: 't' },
      cwd: value,
      env: { ...value, short: 'e', multiple: true },
      user: { ...value, short: 'u' },
      'additional-gids': { ...value, short: 'g', multiple: true },
      cap: { ...value, short: 'c', multiple: true },
      'no-new-privs': flag,
      'ignore-paused': flag,
      cgroup: value,
    },
    run: exec,
  },
  run: {
    summary: 'Create, start, wait for the end and delete',
    words: 'ID',
    options: { ...CREATE, detach: { ...flag, short: 'd' }, keep: flag },
    run,
  },
  ps: {
    summary: 'List the processes of a container',
    words: 'ID',
    options: { format: { ...value, short: 'f' } },
    run: ps,
  },
  pause: { summary: 'Stop all processes of a container where they are', words: 'ID', options: {}, run: pause },
  resume: { summary: 'Let them go on', words: 'ID', options: {}, run: resume },
  update: {
    summary: 'Change the limits of a container',
    words: 'ID',
    options: {
      resources: { ...value, short: 'r' },
      memory: value,
      'memory-reservation': value,
      'memory-swap': value,
      'cpu-period': value,
      'cpu-quota': value,
      'cpu-share': value,
      'cpuset-cpus': value,
      'cpuset-mems': value,
      'pids-limit': value,
      'blkio-weight': value,
    },
    run: update,
  },
  list: {
    summary: 'List containers',
    words: '',
    options: { format: { ...value, short: 'f' }, quiet: { ...flag, short: 'q' } },
    run: list,
  },
  events: {
    summary: 'Print statistics and out-of-memory events as they come',
    words: 'ID',
    options: { interval: value, stats: flag },
    run: events,
  },
  spec: {
    summary: 'Write a config.json to begin with',
    words: '',
    options: { bundle: { ...value, short: 'b' } },
    run: spec,
  },
  features: { summary: 'Print what this runtime supports as JSON', words: '', options: {}, run: features },
} satisfies Record<string, Command>;
