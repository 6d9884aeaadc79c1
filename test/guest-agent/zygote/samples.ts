import type { ContainerInit, ExecInit } from '../../../guest-agent/zygote/protocol.ts';

const process = {
  argv: ['/bin/serve', '--fast'],
  env: ['PATH=/bin'],
  cwd: '/srv',
  uid: 0,
  gid: 0,
  groups: [],
  stdio: { stdin: null, stdout: '/run/out', stderr: '/run/err' },
  capabilities: 'a80425fb',
  noNewPrivileges: true,
  cgroup: '/sys/fs/cgroup/nest/one',
};

export const containerInit = (changes: Partial<ContainerInit> = {}): ContainerInit => ({
  ...process,
  hostname: 'one',
  rootfs: { root: '/run/root', layersFolder: '/run/layers', layers: ['bbb', 'aaa'], upper: '/up', work: '/work' },
  sandbox: { capabilities: 'a80425fb', maskedPaths: ['/proc/keys'], readonlyPaths: ['/proc/sys'] },
  ...changes,
});

export const execInit = (changes: Partial<ExecInit> = {}): ExecInit => ({ ...process, container: 'one', ...changes });
