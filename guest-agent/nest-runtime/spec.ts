import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_CAPABILITIES } from '../security/capability-names.ts';
import { MASKED_PATHS, READONLY_PATHS } from '../security/defaults.ts';
import { DEFAULT_PROFILE } from '../security/seccomp/default-profile.ts';
import { filterOf } from '../security/seccomp/profile.ts';
import type { Call } from './arguments.ts';

/** Not over a file that exists. */
export function spec({ flags }: Call): undefined {
  const file = join(typeof flags['bundle'] === 'string' ? flags['bundle'] : '.', 'config.json');
  writeFileSync(file, `${JSON.stringify(exampleConfig(), null, 2)}\n`, { flag: 'wx', mode: 0o644 });
  return undefined;
}

/** A shell with what our own containers may do. */
export function exampleConfig() {
  const capabilities = DEFAULT_CAPABILITIES.map((name) => `CAP_${name}`);
  const harmless = ['nosuid', 'noexec', 'nodev'];
  return {
    ociVersion: '1.2.0',
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 524_288 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: false },
    hostname: 'nest',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: harmless },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
      },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
      { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...harmless, 'mode=1777', 'size=65536k'] },
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: harmless },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...harmless, 'ro'] },
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...harmless, 'relatime', 'ro'] },
    ],
    linux: {
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      namespaces: ['pid', 'network', 'ipc', 'uts', 'cgroup', 'mount'].map((type) => ({ type })),
      seccomp: filterOf(DEFAULT_PROFILE, capabilities),
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
    },
  };
}
