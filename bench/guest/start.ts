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
import { exampleConfig } from '../../guest-agent/nest-runtime/spec.ts';
import { COMMAND, ENVIRONMENT, LAYER_SERIAL } from './contract.ts';
import { answerHost } from './answer.ts';

async function main(): Promise<void> {
  spawn(process.execPath, [...process.execArgv, import.meta.filename, 'agent'], { stdio: 'inherit' });
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

/** What our containers have: without a filter of devices of its own, since all of ours share one. */
function ociConfig(): object {
  const { process: shell, linux, ...config } = exampleConfig();
  return {
    ...config,
    ociVersion: '1.0.2', // Debian's crun knows no later one
    process: { ...shell, terminal: false, args: COMMAND, env: ENVIRONMENT },
    linux: { ...linux, resources: undefined, cgroupsPath: '/peers/bench' },
  };
}

let started = 0;

const PEERS = '/run/peers-part';
const BUNDLE = '/var/lib/nest/bundle';

// Last, because the constants above must have their values first.
if (process.argv[2] === 'agent') await import('../../guest-agent/main.ts');
else await main();
