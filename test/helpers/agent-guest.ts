import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { AgentInfo, type ContainerSpec, ContainerState, type ExecSpec, ExecState } from '../../guest-agent/api.ts';
import { findGuestImage } from '../../src/guest-image/guest-image.ts';
import { nestPaths } from '../../src/paths.ts';
import { silent } from '../../src/progress.ts';
import type { Trunk } from '../../src/trunk/trunk.ts';
import { openGuests } from '../../src/vm/guests.ts';
import { framed, readAll } from '../guest-agent/client.ts';
import { testGuestImage } from './guest-image.ts';
import { TEST_URI } from './libvirt.ts';

/** A guest with one layer, busybox, and its agent without an engine. */
export interface AgentGuest {
  trunk: Trunk;
  layer: { diffId: string; path: string };
  /** A container that runs a shell command. */
  shell(command: string, change?: Partial<ContainerSpec>): ContainerSpec;
  start(spec: ContainerSpec): Promise<void>;
  /** Until it has exited for good. */
  run(spec: ContainerSpec): Promise<ContainerState>;
  wait(id: string): Promise<ContainerState>;
  /** Stdout so far. */
  logs(id: string): Promise<string>;
  exec(
    id: string,
    argv: string[],
    change?: Partial<ExecSpec>,
    input?: string,
  ): Promise<{ out: string; state: ExecState }>;
  /** Mounts one more layer: a squashfs, or one of the files that `source` puts into a folder. Its diff id. */
  addLayer(source: string | ((tree: string) => Promise<unknown>)): Promise<string>;
  /** Its libvirt domain. */
  domain: string;
  /** Ends the agent as in a crash, and waits for the next one. */
  restartAgent(): Promise<void>;
  close(): Promise<void>;
}

export async function openAgentGuest(name: string): Promise<AgentGuest> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-agent-vm-'));
  await chmod(folder, 0o711);
  const boot = await findGuestImage((await testGuestImage()).paths, 'debian-12');
  const layer = { diffId: `sha256:${'a9'.repeat(32)}`, path: await busyboxLayer(folder) };
  const guests = await openGuests({
    paths: nestPaths({ NEST_DATA_DIR: path.join(folder, 'data'), NEST_RUNTIME_DIR: path.join(folder, 'run') }),
    uri: TEST_URI,
    instance: randomBytes(16).toString('hex'),
    bootFiles: () => Promise.resolve(boot),
    bootSeconds: 240,
  });
  await guests.adopt();
  const shape = { vcpus: 2, memory: 512 * 1024 ** 2 };
  const { id: guest, domain } = await guests.create(
    { zone: name, name: `${name}-1`, shape, accelerator: 'tcg' },
    silent,
  );
  const trunk = guests.trunk(guest);
  await guests.attachLayer(guest, layer);

  const start = async (spec: ContainerSpec) => {
    await trunk.request({ method: 'POST', path: '/v1/containers', body: spec }, ContainerState);
    await trunk.request({ method: 'POST', path: `/v1/containers/${spec.id}/start` }, ContainerState);
  };
  const wait = (id: string) => trunk.request({ method: 'POST', path: `/v1/containers/${id}/wait` }, ContainerState);
  const info = () => trunk.request({ method: 'GET', path: '/v1/info' }, AgentInfo);
  return {
    trunk,
    layer,
    shell: (command, change = {}) => ({ ...shellSpec(layer.diffId, command), ...change }),
    start,
    async run(spec) {
      await start(spec);
      return wait(spec.id);
    },
    wait,
    logs: async (id) =>
      framed(await readAll(await trunk.read({ method: 'GET', path: `/v1/containers/${id}/logs?stdout=1` })), 1),
    async exec(id, argv, change = {}, input = '') {
      const body: ExecSpec = { argv, env: ['PATH=/bin'], cwd: '/', user: '', stdin: false, ...change };
      const { execId } = await trunk.request(
        { method: 'POST', path: `/v1/containers/${id}/exec`, body },
        v.object({ execId: v.string() }),
      );
      const stream = await trunk.open({ method: 'POST', path: `/v1/exec/${execId}/start` });
      stream.end(input);
      const out = framed(await readAll(stream), 1);
      return { out, state: await trunk.request({ method: 'GET', path: `/v1/exec/${execId}` }, ExecState) };
    },
    async addLayer(source) {
      const diffId = `sha256:${randomBytes(32).toString('hex')}`;
      const file = typeof source === 'string' ? source : await packLayer(folder, diffId, source);
      await guests.attachLayer(guest, { diffId, path: file });
      return diffId;
    },
    domain,
    async restartAgent() {
      const { pid } = await info();
      await trunk.send({ method: 'POST', path: '/v1/restart' });
      await answers(info, pid);
    },
    async close() {
      await guests.remove(guest);
      await guests.close();
      // What libvirt still has to write of the guest's end may come in between.
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function packLayer(folder: string, name: string, make: (tree: string) => Promise<unknown>): Promise<string> {
  const tree = path.join(folder, name);
  await mkdir(tree);
  await make(tree);
  await promisify(execFile)('mksquashfs', [tree, `${tree}.squashfs`, '-quiet', '-no-progress', '-all-root']);
  await chmod(`${tree}.squashfs`, 0o444);
  return `${tree}.squashfs`;
}

/** A container of one layer that runs a shell command, with an id of its own. */
export function shellSpec(diffId: string, command: string): ContainerSpec {
  return {
    id: randomBytes(32).toString('hex'),
    hostname: 'test',
    layers: [diffId],
    argv: ['sh', '-c', command],
    env: ['PATH=/bin'],
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

/** Until another agent than `pid` answers: requests under way when it ends are lost. */
async function answers(info: () => Promise<AgentInfo>, pid: number): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const current = await info().catch(() => undefined);
    if (current !== undefined && current.pid !== pid) return;
  }
  throw new Error('the agent was not restarted');
}

/** For `addLayer`: a program of this machine that busybox has not, and its libraries. */
export const program = (file: string) => async (tree: string) => {
  const { stdout } = await promisify(execFile)('ldd', [file]);
  for (const each of [file, ...(stdout.match(/\/\S+/g) ?? [])])
    await cp(each, path.join(tree, each.replace('/usr/bin/', '/bin/')), { dereference: true });
};

/** busybox with all its applets, and users to look up. */
export async function busyboxLayer(folder: string): Promise<string> {
  const tree = path.join(folder, 'layer');
  for (const name of ['bin', 'etc', 'proc', 'dev', 'sys', 'tmp'])
    await mkdir(path.join(tree, name), { recursive: true });
  await cp('/bin/busybox', path.join(tree, 'bin/busybox'));
  const { stdout } = await promisify(execFile)('/bin/busybox', ['--list']);
  const applets = stdout.split('\n').filter((name) => name !== '' && name !== 'busybox');
  await Promise.all(applets.map((name) => symlink('busybox', path.join(tree, 'bin', name))));
  await writeFile(path.join(tree, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:/bin/sh\n');
  await writeFile(path.join(tree, 'etc/group'), 'root:x:0:\nweb:x:34:\nadm:x:4:web\n');
  const target = path.join(folder, 'layer.squashfs');
  await promisify(execFile)('mksquashfs', [tree, target, '-quiet', '-no-progress', '-all-root']);
  await chmod(target, 0o444);
  return target;
}
