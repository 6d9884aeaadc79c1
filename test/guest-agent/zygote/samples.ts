import { OWN } from '../../../guest-agent/namespaces.ts';
import type { ContainerInit, ExecInit, ProcessInit } from '../../../guest-agent/zygote/protocol.ts';

const process: ProcessInit = {
  argv: ['/bin/serve', '--fast'],
  env: ['PATH=/bin'],
  cwd: '/srv',
  uid: 0,
  gid: 0,
  groups: [],
  stdio: { stdin: null, stdout: '/run/out', stderr: '/run/err' },
  capabilities: { bounding: 'a80425fb', effective: '0', permitted: '0', inheritable: '0', ambient: '0' },
  noNewPrivileges: true,
  seccomp: null,
  options: {},
  cgroup: '/sys/fs/cgroup/nest/one',
};

export const containerInit = (changes: Partial<ContainerInit> = {}): ContainerInit => ({
  ...process,
  hostname: 'one',
  plugs: [],
  rootfs: { root: '/run/root', layersFolder: '/run/layers', layers: ['bbb', 'aaa'], upper: '/up', work: '/work' },
  sandbox: {
    namespaces: { own: OWN, joined: [] },
    cable: null,
    staged: { shmSize: 1024 },
    capabilities: 'a80425fb',
    maskedPaths: ['/proc/keys'],
    readonlyPaths: ['/proc/sys'],
  },
  ...changes,
});

export const execInit = (changes: Partial<ExecInit> = {}): ExecInit => ({ ...process, container: 'one', ...changes });
