import { setFlagsFromString } from 'node:v8';
import { DEFAULT_CAPABILITIES, MASKED_PATHS, READONLY_PATHS } from '../security/defaults.ts';
import { rehearsal } from '../sys/rehearsal.ts';
import { joinContainer } from './exec.ts';
import { initContainer } from './init.ts';
import { launch } from './launch.ts';
import type { ContainerInit } from './protocol.ts';

/**
 * Runs what only children run, without its system calls. V8 compiles a function when it is first called: without this each
 * child would compile all of it anew, in its own copy of the heap, before its program starts.
 *
 * Must come before V8 has compiled much: the flag keeps it from throwing away what was not used for a while.
 */
export function warmUp(): void {
  setFlagsFromString('--no-flush-bytecode');
  const sys = rehearsal();
  const { stackTraceLimit } = Error; // A child changes it, and here a child is only played.
  for (let round = 0; round < ROUNDS; round++) {
    launch(sys, 0, '/cgroup', () => initContainer(sys, SAMPLE, [SIGPIPE]));
    launch(sys, 0, '/cgroup', () => joinContainer(sys, { ...SAMPLE, container: '' }, 0, [SIGPIPE]));
  }
  Error.stackTraceLimit = stackTraceLimit;
}

const SAMPLE: ContainerInit = {
  argv: ['sh'],
  env: ['PATH=/usr/bin:/bin'],
  cwd: '/',
  uid: 0,
  gid: 0,
  groups: [],
  stdio: { stdin: null, stdout: '/stdout', stderr: '/stderr' },
  capabilities: DEFAULT_CAPABILITIES,
  noNewPrivileges: true,
  cgroup: '/cgroup',
  hostname: 'sample',
  rootfs: { root: '/root', layersFolder: '/layers', layers: ['a', 'b'], upper: '/upper', work: '/work' },
  maskedPaths: MASKED_PATHS,
  readonlyPaths: READONLY_PATHS,
};

const ROUNDS = 3;
const SIGPIPE = 13;
