import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import test from 'ava';
import ssh2 from 'ssh2';
import { guestPaths } from '../../src/paths.ts';
import { busyboxImage } from '../helpers/images.ts';
import { openNest, type Nest } from '../helpers/nest.ts';
import { stockImageFile } from '../helpers/stock-image.ts';
import { until } from '../helpers/until.ts';

const IMAGE = 'localhost/busybox:test';
let nest: Nest;

test.before(async (t) => {
  t.timeout(20 * 60_000, 'a cloud image is made of packages');
  const file = await stockImageFile();
  nest = await openNest({ NEST_IDLE_GUEST_SECONDS: '3600' });
  await nest.ok('image', 'load', await busyboxImage(path.join(nest.paths.data, 'fixture'), { name: IMAGE }));
  await nest.ok('guest-image', 'add', file, '--name', 'stock');
});

test.after.always(() => nest.close());

const run = (...args: string[]) => nest.run(['vm', 'ssh', 'web-1', ...args]);

test.serial('a guest boots a cloud image and runs containers like any other', async (t) => {
  t.timeout(20 * 60_000, 'an emulated guest boots a distribution');
  const script = 'echo up; cat /etc/hostname; exec sleep 9999';
  await nest.ok(
    'run',
    '-d',
    '--guest-image',
    'stock',
    '--zone',
    'web',
    '--name',
    'c1',
    '-m',
    '64m',
    IMAGE,
    'sh',
    '-c',
    script,
  );
  t.like(await nest.json('vm', 'show', 'web-1'), { stock: 'stock', template: null, state: 'running', zone: 'web' });
  t.like(await nest.json('ps'), [{ name: 'c1', state: 'running' }]);
  await until('its output', async () => (await nest.ok('logs', 'c1')).startsWith('up'));
  t.is(
    await nest.ok('run', '--rm', '--zone', 'web', IMAGE, 'uname', '-r'),
    await nest.ok('vm', 'ssh', 'web-1', 'uname -r'),
  );
  t.is(await nest.ok('exec', 'c1', 'cat', '/sys/fs/cgroup/memory.max'), String(64 * 2 ** 20));
  t.is(((await nest.json('vm', 'list')) as unknown[]).length, 1, 'the second container joined it');
});

test.serial('containers of a network on it find each other by name', async (t) => {
  await nest.ok('network', 'create', 'shop', '--zone', 'web');
  const on = ['--zone', 'web', '--network', 'shop', '--rm'];
  await nest.ok(
    'run',
    '-d',
    ...on,
    '--name',
    'server',
    IMAGE,
    'sh',
    '-c',
    'echo hello > /index.html; exec httpd -f -h /',
  );
  await until(
    'its server',
    async () => (await nest.run(['exec', 'server', 'wget', '-qO-', 'http://127.0.0.1'])).exitCode === 0,
  );
  t.is(await nest.ok('run', ...on, IMAGE, 'wget', '-qO-', 'http://server'), 'hello');
  await nest.ok('rm', '--force', 'server');
  await nest.ok('network', 'rm', 'shop');
});

test.serial('a container that uses up its memory is killed, and the guest goes on', async (t) => {
  const outcome = await nest.run(['run', '--rm', '--zone', 'web', '-m', '16m', IMAGE, 'sh', '-c', 'tail /dev/zero']);
  t.is(outcome.exitCode, 137);
  t.is((await run('systemctl', 'is-active', 'nest')).stdout, 'active\n');
});

test.serial('a shell on it has the words, the streams and the status of its command', async (t) => {
  t.deepEqual(await run("echo 'a  b'; echo c >&2; exit 7"), { stdout: 'a  b\n', stderr: 'c\n', exitCode: 7 });
  t.is((await nest.run(['vm', 'ssh', 'web-1', 'wc -c'], 'five!')).stdout, '5\n');
  t.is((await run('kill -TERM $$')).exitCode, 143);
  const shell = await nest.run(['vm', 'ssh', 'web-1'], 'hostname\nexit 3\n');
  t.is(shell.exitCode, 3);
  t.true(shell.stdout.endsWith('web-1\n'), 'behind what a login says');
  t.like(await nest.json('vm', 'ssh', 'web-1', 'cat /etc/machine-id'), { exitCode: 0, guest: 'web-1' });
  const [first, second] = await Promise.all([run('echo one'), run('echo two')]);
  t.deepEqual([first.stdout, second.stdout], ['one\n', 'two\n']);
});

test.serial('it reaches neither this host nor anything else', async (t) => {
  let met = 0;
  const server = createServer(() => (met += 1)).listen(0, '0.0.0.0');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const own = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === 'IPv4' && !each.internal)?.address;
  for (const address of ['10.0.2.2', '10.0.2.3', '127.0.0.1', ...(own === undefined ? [] : [own])]) {
    const connect = `python3 -c 'import socket; socket.create_connection(("${address}", ${port}), 3)'`;
    t.not((await run(connect)).exitCode, 0, address);
  }
  t.is(met, 0);
});

test.serial('a guest that is not who it was is not logged in to', async (t) => {
  const { id } = (await nest.json('vm', 'show', 'web-1')) as { id: string };
  const file = guestPaths(nest.paths, id).sshKeys;
  const kept = await readFile(file, 'utf8');
  const stranger = ssh2.utils.generateKeyPairSync('ed25519').public;
  const keys = JSON.parse(kept) as { host: { public: string } };
  await writeFile(file, JSON.stringify({ ...keys, host: { ...keys.host, public: stranger } }));
  const outcome = await run('true');
  await writeFile(file, kept);
  t.is(outcome.exitCode, 1);
  t.regex(outcome.stderr, /log in to guest `web-1`: it does not have the host key/);
});

test.serial('stopped and started, resized, it comes back by itself with its containers', async (t) => {
  t.timeout(20 * 60_000, 'an emulated guest boots a distribution');
  await nest.ok('vm', 'resize', 'web-1', '--cpus', '1', '--memory', '768m');
  await nest.ok('update', '--restart', 'always', 'c1');
  await nest.ok('vm', 'stop', 'web-1');
  const refused = await nest.run(['vm', 'ssh', 'web-1', 'true']);
  t.regex(refused.stderr, /log in to guest `web-1`: it is stopped/);
  await nest.ok('vm', 'start', 'web-1');
  t.is((await run('nproc')).stdout, '1\n');
  await until('its container', async () => (await nest.ok('ps', '-q')) !== '');
  t.like(await nest.json('vm', 'show', 'web-1'), { vcpus: 1, memory: 768 * 2 ** 20, next: null });
});

test.serial('its image stays while it does, and then nothing is left', async (t) => {
  const refused = await nest.run(['guest-image', 'rm', 'stock']);
  t.regex(refused.stderr, /guest web-1 boots it/);
  await nest.ok('vm', 'delete', '--force', 'web-1');
  t.deepEqual(await readdir(nest.paths.guests), []);
  await nest.ok('guest-image', 'rm', 'stock');
  t.deepEqual(await readdir(nest.paths.stockImages), []);
});
