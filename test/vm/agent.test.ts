import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import * as v from 'valibot';
import {
  AgentInfo,
  ContainerRecord,
  type ContainerSpec,
  ContainerState,
  type ExecSpec,
  ExecState,
} from '../../guest-agent/api.ts';
import { findGuestImage } from '../../src/guest-image/guest-image.ts';
import { nestPaths } from '../../src/paths.ts';
import { silent } from '../../src/progress.ts';
import type { Trunk } from '../../src/trunk/trunk.ts';
import { type Guests, openGuests } from '../../src/vm/guests.ts';
import { framed, readAll } from '../guest-agent/client.ts';
import { testGuestImage } from '../helpers/guest-image.ts';
import { TEST_URI } from '../helpers/libvirt.ts';

const layer = { diffId: `sha256:${'a9'.repeat(32)}`, path: '' };
let folder: string;
let guests: Guests;
let guest: string;
let trunk: Trunk;

test.before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'nest-agent-vm-'));
  await chmod(folder, 0o711);
  const boot = await findGuestImage((await testGuestImage()).paths, 'debian-12');
  layer.path = await busyboxLayer();
  guests = await openGuests({
    paths: nestPaths({ NEST_DATA_DIR: path.join(folder, 'data'), NEST_RUNTIME_DIR: path.join(folder, 'run') }),
    uri: TEST_URI,
    instance: randomBytes(16).toString('hex'),
    bootFiles: () => Promise.resolve(boot),
    bootSeconds: 240,
  });
  await guests.adopt();
  const shape = { vcpus: 2, memory: 512 * 1024 ** 2 };
  guest = (await guests.create({ zone: 'agent', name: 'agent-1', shape, accelerator: 'tcg' }, silent)).id;
  trunk = guests.trunk(guest);
  await guests.attachLayer(guest, layer);
});

test.after.always(async () => {
  await guests.remove(guest);
  await guests.close();
  await rm(folder, { recursive: true, force: true });
});

test.serial('a container is alone in its namespaces, on its own overlay', async (t) => {
  const spec = shell('echo $$; hostname; ps; grep " / " /proc/mounts; cat /proc/1/cgroup', { hostname: 'alone' });
  t.like(await run(spec), { status: 'exited', exitCode: 0 });
  const [pid, hostname, ...rest] = (await logs(spec.id)).split('\n');
  t.is(pid, '1');
  t.is(hostname, 'alone');
  const text = rest.join('\n');
  t.regex(text, /^overlay \/ overlay rw/m);
  t.regex(text, /^0::\/$/m);
  t.notRegex(text, /agent\.js|zygote\.js/);
});

test.serial('the exit code, both output streams and every line of a container arrive', async (t) => {
  const spec = shell('seq 20000; echo oops >&2; exit 3');
  t.like(await run(spec), { exitCode: 3, oomKilled: false });
  t.is(await logs(spec.id), Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`).join(''));
  const errors = await readAll(await trunk.read({ method: 'GET', path: `/v1/containers/${spec.id}/logs?stderr=1` }));
  t.is(framed(errors, 2), 'oops\n');
});

test.serial('a user named by the image runs with its groups and its home', async (t) => {
  const spec = shell('id; echo $HOME', { user: 'web' });
  await run(spec);
  t.is(await logs(spec.id), 'uid=33(web) gid=34(web) groups=4(adm)\n/srv\n');
});

test.serial('exec joins the container: its processes, its files, its user', async (t) => {
  const spec = shell('echo shared > /file; exec sleep 1000');
  await start(spec);
  const { out, state } = await exec(spec.id, ['sh', '-c', 'cat /file; ps; id -u; exit 4'], { user: 'web' });
  t.regex(out, /^shared\n/);
  t.regex(out, /1 root +sleep 1000/);
  t.regex(out, /^33$/m);
  t.deepEqual(state, { running: false, exitCode: 4, pid: 0 });
  const echoed = await exec(spec.id, ['cat'], { stdin: true }, 'x'.repeat(200_000));
  t.is(echoed.out.length, 200_000);
});

test.serial('a missing program is told in the words docker expects', async (t) => {
  const spec = shell('', { argv: ['no-such-program'] });
  const error = await t.throwsAsync(start(spec));
  t.regex(error.message, /exec: `no-such-program`: executable file not found in \$PATH/);
});

test.serial('a container that takes more memory than it may is killed and marked', async (t) => {
  const spec = shell('x=a; while :; do x=$x$x; done', { limits: { memory: 32 * 1024 * 1024 } });
  t.like(await run(spec), { exitCode: 137, oomKilled: true });
});

test.serial('a container that ignores its stop signal is killed with all its processes', async (t) => {
  const spec = shell('trap "" TERM; sleep 1000 & echo ready; while :; do sleep 1; done');
  await start(spec);
  const path = `/v1/containers/${spec.id}/stop?seconds=0`;
  t.like(await trunk.request({ method: 'POST', path }, ContainerState), { status: 'exited', exitCode: 137 });
});

test.serial('two containers listen on the same port, each reached in its own network', async (t) => {
  const serve = (text: string) => shell(`echo ${text} > /index.html; httpd -p 127.0.0.1:80 -h /; exec sleep 1000`);
  const [first, second] = [serve('first'), serve('second')];
  await start(first);
  await start(second);
  t.regex(await fetchPage(first.id), /\r\n\r\nfirst\n$/);
  t.regex(await fetchPage(second.id), /\r\n\r\nsecond\n$/);
  const refused = trunk.open({ method: 'POST', path: `/v1/containers/${first.id}/ports/81` });
  await t.throwsAsync(refused, { message: /ECONNREFUSED/ });
});

test.serial('what a container leaves in its files goes with it', async (t) => {
  const deep =
    'i=0; while [ $i -lt 60 ]; do mkdir -p nnnnnnnnnnnnnnnnnnnn/mmmmmmmmmm; cd -P nnnnnnnnnnnnnnnnnnnn/mmmmmmmmmm; i=$((i+1)); done';
  const spec = shell(`mkdir /work; cd /work; ${deep}; ln -s / link; mkfifo fifo`);
  await run(spec);
  const path = `/v1/containers/${spec.id}`;
  await trunk.send({ method: 'DELETE', path });
  await trunk.send({ method: 'DELETE', path });
  await t.throwsAsync(trunk.request({ method: 'GET', path }, ContainerRecord), { code: 'not-found' });
});

test.serial('containers run on while the agent is restarted, and no line is lost', async (t) => {
  const counting = shell('i=0; while [ $i -lt 150 ]; do echo $i; i=$((i+1)); sleep 0.1; done; exit 5');
  const quick = shell('sleep 1; echo gone; exit 6');
  await start(counting);
  await start(quick);
  const info = () => trunk.request({ method: 'GET', path: '/v1/info' }, AgentInfo);
  const before = await info();
  await trunk.send({ method: 'POST', path: '/v1/restart' });
  await answers(info, before.pid);
  const followed = await readAll(
    await trunk.read({ method: 'GET', path: `/v1/containers/${counting.id}/logs?stdout=1&follow=1` }),
  );
  t.is(framed(followed, 1), Array.from({ length: 150 }, (_, i) => `${i}\n`).join(''));
  t.like(await wait(counting.id), { exitCode: 5 });
  t.like(await wait(quick.id), { exitCode: 6 });
  t.is(await logs(quick.id), 'gone\n');
  const layers = await trunk.request({ method: 'GET', path: '/v1/layers' }, v.array(v.string()));
  t.deepEqual(layers, [layer.diffId]);
});

function shell(command: string, change: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    id: randomBytes(32).toString('hex'),
    hostname: 'test',
    layers: [layer.diffId],
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
    ...change,
  };
}

async function start(spec: ContainerSpec): Promise<void> {
  await trunk.request({ method: 'POST', path: '/v1/containers', body: spec }, ContainerState);
  await trunk.request({ method: 'POST', path: `/v1/containers/${spec.id}/start` }, ContainerState);
}

async function run(spec: ContainerSpec): Promise<ContainerState> {
  await start(spec);
  return wait(spec.id);
}

const wait = (id: string) => trunk.request({ method: 'POST', path: `/v1/containers/${id}/wait` }, ContainerState);

const logs = async (id: string) =>
  framed(await readAll(await trunk.read({ method: 'GET', path: `/v1/containers/${id}/logs?stdout=1` })), 1);

async function exec(id: string, argv: string[], change: Partial<ExecSpec> = {}, input = '') {
  const body: ExecSpec = { argv, env: ['PATH=/bin'], cwd: '/', user: '', stdin: false, ...change };
  const { execId } = await trunk.request(
    { method: 'POST', path: `/v1/containers/${id}/exec`, body },
    v.object({ execId: v.string() }),
  );
  const stream = await trunk.open({ method: 'POST', path: `/v1/exec/${execId}/start` });
  stream.end(input);
  const out = framed(await readAll(stream), 1);
  return { out, state: await trunk.request({ method: 'GET', path: `/v1/exec/${execId}` }, ExecState) };
}

async function fetchPage(id: string): Promise<string> {
  const stream = await trunk.open({ method: 'POST', path: `/v1/containers/${id}/ports/80` });
  stream.end('GET /index.html HTTP/1.0\r\n\r\n');
  return (await readAll(stream)).toString();
}

/** Until another agent than `pid` answers: requests under way when it ends are lost. */
async function answers(info: () => Promise<AgentInfo>, pid: number): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const current = await info().catch(() => undefined);
    if (current !== undefined && current.pid !== pid) return;
  }
  throw new Error('the agent was not restarted');
}

/** busybox with all its applets, and users to look up. */
async function busyboxLayer(): Promise<string> {
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
