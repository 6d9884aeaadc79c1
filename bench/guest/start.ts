/**
 * Runs in the guest in the agent's place: starts the real agent as its child, then measures containers started through it
 * against `crun run` and `runc run`, from the request to the first byte of the command's output. All three start the same
 * command in the same root file system, with the same namespaces, capabilities, masked paths and no seccomp filter.
 * crun and runc get their overlay mounted in advance; ours is mounted within the measured time.
 *
 * Prints one line: REPORT_MARK and the samples as JSON. `nest.bench.runs=N` on the kernel's command line gives the rounds.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http2, { type ClientHttp2Session } from 'node:http2';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerSpec } from '../../guest-agent/api.ts';
import { agentSocket, FOLDERS, layersFolder } from '../../guest-agent/folders.ts';
import { MASKED_PATHS, READONLY_PATHS } from '../../guest-agent/security/defaults.ts';
import { interleave } from '../frame/interleave.ts';
import { DIFF_ID, LAYER_SERIAL, REPORT_MARK } from './contract.ts';

async function main(): Promise<void> {
  const agent = spawn(process.execPath, [import.meta.filename, 'agent'], { stdio: 'inherit' });
  try {
    const session = await connectAgent();
    await exchange(session, 'PUT', `/v1/layers/${DIFF_ID}`, { serial: LAYER_SERIAL });
    preparePeers();
    const runs = Number(/nest\.bench\.runs=(\d+)/.exec(readFileSync('/proc/cmdline', 'utf8'))?.[1] ?? 30);
    const samples = await interleave(runs, {
      'nest ms': (round) => startWithNest(session, round),
      'crun ms': (round) => startWithPeer('crun', round),
      'runc ms': (round) => startWithPeer('runc', round),
    });
    console.log(`${REPORT_MARK}${JSON.stringify(samples)}`);
  } catch (error) {
    console.log(`${REPORT_MARK}${JSON.stringify({ error: String(error) })}`);
  }
  agent.kill('SIGKILL');
  await delay(60_000); // the host ends the guest once it has read the report
}

/** Create, attach and start, as `nest run` does; the clock stops at the first frame of output. */
async function startWithNest(session: ClientHttp2Session, round: number): Promise<number> {
  const spec = containerSpec(round);
  const begin = performance.now();
  await exchange(session, 'POST', '/v1/containers', spec);
  const attached = session.request({ ':method': 'POST', ':path': `/v1/containers/${spec.id}/attach` });
  attached.end();
  const output = once(attached, 'data');
  await exchange(session, 'POST', `/v1/containers/${spec.id}/start`);
  await output;
  const milliseconds = performance.now() - begin;
  attached.resume();
  await once(attached, 'end');
  await exchange(session, 'DELETE', `/v1/containers/${spec.id}`);
  return milliseconds;
}

/** The whole command `crun run`, to the first byte that the container prints. */
async function startWithPeer(runtime: 'crun' | 'runc', round: number): Promise<number> {
  const begin = performance.now();
  const child = spawn(
    `${PEERS}/bin/${runtime}`,
    ['--root', '/run/peers', 'run', '--bundle', BUNDLE, `bench${round + 1}`],
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

function containerSpec(round: number): ContainerSpec {
  return {
    id: (round + 1).toString(16).padStart(64, '0'),
    hostname: 'bench',
    layers: [DIFF_ID],
    argv: COMMAND,
    env: ENVIRONMENT,
    cwd: '/',
    user: '',
    stdin: false,
    stopSignal: 'SIGTERM',
    stopSeconds: 10,
    limits: {},
    restart: { name: 'no', maximumRetries: 0 },
    annotations: {},
  };
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
      cgroupsPath: '/peers/bench',
    },
  };
}

async function connectAgent(): Promise<ClientHttp2Session> {
  while (!existsSync(agentSocket(FOLDERS))) await delay(50);
  const session = http2.connect('http://agent', { createConnection: () => createConnection(agentSocket(FOLDERS)) });
  await once(session, 'connect');
  return session;
}

async function exchange(session: ClientHttp2Session, method: string, path: string, body?: unknown): Promise<void> {
  const stream = session.request({ ':method': method, ':path': path, 'content-type': 'application/json' });
  stream.end(body === undefined ? undefined : JSON.stringify(body));
  const [headers] = (await once(stream, 'response')) as [{ ':status': number }];
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  if (headers[':status'] >= 300) throw new Error(`${method} ${path}: ${headers[':status']} ${text}`);
}

const COMMAND = ['/bin/echo', 'ready'];
const ENVIRONMENT = ['PATH=/bin'];
const PEERS = '/run/peers-part';
const BUNDLE = '/var/lib/nest/bundle';
const CAPABILITIES =
  'CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT MKNOD AUDIT_WRITE SETFCAP'.split(
    ' ',
  );

// Last, because the constants above must have their values first.
if (process.argv[2] === 'agent') await import('../../guest-agent/main.ts');
else await main();
