/**
 * Runs in the guest in the agent's place: starts the real agent as its child, and measures `crun run` and `runc run` when
 * the host asks, from the call that starts the runtime to the first byte of the command's output. Their containers have the
 * root file system, the namespaces, the capabilities, the masked paths and the seccomp filter of ours. Their overlay is
 * mounted in advance; ours is mounted within the measured time.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { FOLDERS, layersFolder } from '../../guest-agent/folders.ts';
import { MASKED_PATHS, READONLY_PATHS } from '../../guest-agent/security/defaults.ts';
import { DEFAULT_PROFILE } from '../../guest-agent/security/seccomp/default-profile.ts';
import { filterOf } from '../../guest-agent/security/seccomp/profile.ts';
import { COMMAND, ENVIRONMENT, LAYER_SERIAL } from './contract.ts';
import { answerHost } from './answer.ts';

async function main(): Promise<void> {
  spawn(process.execPath, [import.meta.filename, 'agent'], { stdio: 'inherit' });
  await answerHost({
    prepare: preparePeers,
    crun: () => startWithPeer('crun'),
    runc: () => startWithPeer('runc'),
  });
}

/** The whole command `crun run`, to the first byte that the container prints. */
async function startWithPeer(runtime: 'crun' | 'runc'): Promise<number> {
  const begin = performance.now();
  const child = spawn(
    `${PEERS}/bin/${runtime}`,
    ['--root', '/run/peers', 'run', '--bundle', BUNDLE, `bench${(started += 1)}`],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { LD_LIBRARY_PATH: `${PEERS}/lib`, PATH: '/usr/bin' },
    },
  );
  const output = once(child.stdout, 'data');
  const ended = once(child, 'close') as Promise<[number]>;
  await Promise.race([output, ended]);
  const milliseconds = performance.now() - begin;
  const [code] = await ended;
  if (code !== 0) throw new Error(`${runtime} run: exit ${code}`);
  return milliseconds;
}

/** Mounts the disk with crun and runc, and one overlay over the same layer as the bundle's root. */
function preparePeers(): void {
  mkdirSync(PEERS, { recursive: true });
  execFileSync('mount', ['-t', 'squashfs', '-o', 'ro', '/dev/vdd', PEERS]);
  for (const folder of ['rootfs', 'upper', 'work']) mkdirSync(`${BUNDLE}/${folder}`, { recursive: true });
  const lower = `${layersFolder(FOLDERS)}/${LAYER_SERIAL}`;
  const overlay = `lowerdir=${lower},upperdir=${BUNDLE}/upper,workdir=${BUNDLE}/work`;
  execFileSync('mount', ['-t', 'overlay', '-o', overlay, 'overlay', `${BUNDLE}/rootfs`]);
  writeFileSync(`${BUNDLE}/config.json`, JSON.stringify(ociConfig()));
}

/** runtime-spec config.md, with what our containers have. */
function ociConfig(): object {
  const capabilities = CAPABILITIES.map((name) => `CAP_${name}`);
  const inside = ['nosuid', 'noexec', 'nodev'];
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid: 0, gid: 0 },
      args: COMMAND,
      env: ENVIRONMENT,
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: true,
    },
    root: { path: 'rootfs' },
    hostname: 'bench',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: inside },
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
      { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...inside, 'mode=1777', 'size=65536k'] },
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: inside },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...inside, 'ro'] },
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...inside, 'relatime', 'ro'] },
    ],
    linux: {
      namespaces: ['pid', 'mount', 'network', 'uts', 'ipc', 'cgroup'].map((type) => ({ type })),
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
      seccomp: filterOf(DEFAULT_PROFILE, capabilities),
      cgroupsPath: '/peers/bench',
    },
  };
}

let started = 0;

const PEERS = '/run/peers-part';
const BUNDLE = '/var/lib/nest/bundle';
const CAPABILITIES =
  'CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP'.split(
    ' ',
  );

// Last, because the constants above must have their values first.
if (process.argv[2] === 'agent') await import('../../guest-agent/main.ts');
else await main();
