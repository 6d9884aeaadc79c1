import { setFlagsFromString } from 'node:v8';
import { bindMount } from '../rootfs/mount.ts';
import { DEFAULT_CAPABILITIES, capabilityMask } from '../security/capability-names.ts';
import { capabilitiesOf } from '../security/capabilities.ts';
import { SANDBOX } from '../security/defaults.ts';
import { MOUNT_ATTR_NOSUID } from '../sys/constants.ts';
import { rehearsal } from '../sys/rehearsal.ts';
import type { Sys } from '../sys/sys.ts';
import { joinContainer } from './exec.ts';
import { initContainer } from './init.ts';
import { launch } from './launch.ts';
import type { ContainerInit } from './protocol.ts';

/**
 * Runs what only children run, without its system calls. V8 compiles a function when it is first called: without this each
 * child would compile all of it anew, in its own copy of the heap, before its program starts. No function is called often
 * enough to be worth machine code of its own accord, and in bytecode the way of a child takes almost twice as long.
 *
 * Must come before V8 has compiled much: the first flag keeps it from throwing away what was not used for a while.
 */
export function warmUp(): void {
  setFlagsFromString('--no-flush-bytecode');
  setFlagsFromString('--always-sparkplug');
  for (let round = 0; round < ROUNDS; round++) {
    rehearse();
    play((sys) => joinContainer(sys, { ...SAMPLE, container: '' }, 0, [SIGPIPE]));
  }
}

/** The way of a container's first process. In a child it brings what is on that way into the child's memory. */
export const rehearse = () => play((sys) => initContainer(sys, parsed(SAMPLE), [SIGPIPE]));

function play(child: (sys: Sys) => void): void {
  const sys = rehearsal();
  const { stackTraceLimit } = Error; // A child changes it, and here a child is only played.
  launch(sys, 0, '/cgroup', () => child(sys));
  Error.stackTraceLimit = stackTraceLimit;
}

const parsed = (init: ContainerInit) => JSON.parse(JSON.stringify(init)) as ContainerInit;

const SAMPLE: ContainerInit = {
  argv: ['sh'],
  env: ['PATH=/usr/bin:/bin'],
  cwd: '/',
  uid: 0,
  gid: 0,
  groups: [],
  stdio: { stdin: null, stdout: '/stdout', stderr: '/stderr' },
  capabilities: capabilitiesOf(0, capabilityMask(DEFAULT_CAPABILITIES)),
  noNewPrivileges: true,
  seccomp: { program: Buffer.alloc(8 * 1024).toString('base64'), flags: 0 },
  options: { oomScoreAdj: 0, mounts: [bindMount('/hosts', '/etc/hosts', MOUNT_ATTR_NOSUID)] },
  cgroup: '/cgroup',
  sandbox: { ...SANDBOX, cable: { switch: '/switch', port: 'sample' } },
  hostname: 'sample',
  plugs: [{ bridge: 2, address: '192.0.2.2', prefix: 24, internal: false }],
  rootfs: { root: '/root', layersFolder: '/layers', layers: ['a', 'b'], upper: '/upper', work: '/work' },
};

const ROUNDS = 3;
const SIGPIPE = 13;
