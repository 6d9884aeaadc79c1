import test from 'ava';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { startEngine } from '../../src/engine/engine.ts';
import { startOrJoin } from '../../src/engine/start-or-join.ts';
import { NestError } from '../../src/errors.ts';
import { openTestEngine, testParts, testPaths } from '../helpers/engine.ts';
import { until } from '../helpers/until.ts';
import { endFakeGuests, fakeGuests } from './fake-guests.ts';

test('a second engine on the same data is refused while the first lives', async (t) => {
  const nest = await openTestEngine();
  t.teardown(() => nest.close());
  const again = () => startEngine(testParts(nest.paths, nest.guests));
  await t.throwsAsync(again(), { message: /another engine uses it/ });
  t.is(await startOrJoin(nest.paths.engineSocket, again), undefined);
  t.is((await nest.call('GET', '/nest/status')).status, 200);
});

test('an engine waits for the lock of one that is ending', async (t) => {
  const nest = await openTestEngine();
  t.teardown(() => nest.close());
  let tries = 0;
  const started = await startOrJoin(path.join(nest.paths.runtime, 'no.sock'), () => {
    tries += 1;
    return tries < 3 ? Promise.reject(new NestError('conflict', 'locked')) : Promise.resolve('started');
  });
  t.is(started, 'started');
});

test('the socket is for its owner alone, and a stale one is replaced', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-engine-'));
  const first = await openTestEngine({ folder });
  t.is((await stat(first.paths.engineSocket)).mode & 0o777, 0o600);
  await first.engine.close();
  await writeFile(first.paths.engineSocket, '');
  const second = await openTestEngine({ folder, guests: first.guests });
  t.teardown(() => second.close());
  t.is((await second.call('GET', '/nest/status')).status, 200);
});

test('without libvirt the engine answers what needs no guests, and names libvirt for what does', async (t) => {
  const missing = new NestError('libvirt-unavailable', 'connect to `qemu:///system`: no such file', {
    hint: 'nest doctor',
  });
  let libvirt = false;
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-engine-'));
  const guests = fakeGuests(path.join(folder, 'guests'), 'inside');
  const connecting = () => (libvirt ? Promise.resolve(guests) : Promise.reject(missing));
  const nest = await openTestEngine({ folder, guests, connect: connecting });
  t.teardown(() => nest.close());
  t.is(String(await nest.docker.ping()), 'OK');
  t.like((await nest.call('GET', '/nest/status')).body, { guests: 0, containers: 0 });
  t.is((await nest.docker.listImages()).length, 1);
  t.deepEqual(await nest.docker.listContainers({ all: true }), []);
  const refused = await nest.call('POST', '/containers/create', { Image: 'hello' });
  t.like(refused, { status: 503, body: { code: 'libvirt-unavailable', hint: 'nest doctor' } });
  libvirt = true;
  t.is((await nest.call('POST', '/containers/create', { Image: 'hello' })).status, 201);
});

test('a stopped engine leaves guests and containers, and the next one knows them and their ports', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-engine-'));
  const first = await openTestEngine({ folder });
  const HostConfig = { PortBindings: { '80/tcp': [{ HostPort: '' }] } };
  const container = await first.docker.createContainer({ Image: 'hello', name: 'web', HostConfig });
  await container.start();
  const { Ports } = (await container.inspect()).NetworkSettings;
  await first.engine.close();
  t.is(first.guests.list().length, 1);
  const second = await openTestEngine({ folder, guests: first.guests });
  t.teardown(() => second.close());
  const details = await second.docker.getContainer('web').inspect();
  t.like(details.State, { Status: 'running' });
  t.deepEqual(details.NetworkSettings.Ports, Ports);
  const socket = connect(Number(Ports['80/tcp']?.[0]?.HostPort), '127.0.0.1');
  socket.end('through the same port');
  t.is(await text(socket), 'through the same port');
});

test('an engine that lost its database adopts the containers of its guests, and only its own', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-engine-'));
  const first = await openTestEngine({ folder });
  const container = await first.docker.createContainer({ Image: 'hello', name: 'web', Labels: { a: 'b' } });
  await container.start();
  await first.engine.close();
  const [guest] = first.guests.list();
  const { containers } = first.guests.agent(guest?.id ?? '');
  const genuine = containers.get(container.id);
  if (genuine === undefined) return t.fail();
  const forged = 'f'.repeat(64);
  const annotations = Object.fromEntries(
    Object.entries(genuine.spec.annotations).map(([key, sealed]) => [key, sealed.replaceAll(container.id, forged)]),
  );
  containers.set(forged, {
    spec: { ...genuine.spec, id: forged, annotations },
    state: { ...genuine.state, id: forged },
  });
  await rm(first.paths.stateDatabase);
  const second = await openTestEngine({ folder, guests: first.guests });
  t.teardown(() => second.close());
  const listed = await second.docker.listContainers({ all: true });
  t.deepEqual(
    listed.map(({ Id, Names, State, Labels }) => ({ Id, name: Names[0], State, a: Labels['a'] })),
    [{ Id: container.id, name: '/web', State: 'running', a: 'b' }],
  );
});

test('a container whose removal was interrupted is removed from its guest later', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-engine-'));
  const first = await openTestEngine({ folder });
  const container = await first.docker.createContainer({ Image: 'hello' });
  const [guest] = first.guests.list();
  const agent = first.guests.agent(guest?.id ?? '');
  const record = agent.containers.get(container.id);
  await container.remove();
  await first.engine.close();
  if (record !== undefined) agent.containers.set(container.id, record);
  const second = await openTestEngine({ folder, guests: first.guests });
  t.teardown(() => second.close());
  await until('the left container to go', () => agent.containers.size === 0);
  t.deepEqual(await second.docker.listContainers({ all: true }), []);
});

test('an idle guest is removed; one with a container is not', async (t) => {
  const nest = await openTestEngine({ idleMilliseconds: 20 });
  t.teardown(() => nest.close());
  const container = await nest.docker.createContainer({ Image: 'hello' });
  await nest.call('GET', '/nest/status');
  t.is(nest.guests.list().length, 1);
  await container.remove();
  await until('the idle guest to go', () => nest.guests.list().length === 0);
  t.deepEqual(nest.log, []);
});

test('after SIGKILL during a deploy, the same deploy completes it: nothing doubled, nothing left over', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-engine-'));
  const guestsFolder = path.join(folder, 'guests');
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const engine = await spawnEngine(folder);
  t.teardown(() => endFakeGuests(guestsFolder));
  const compose = `services:
  one: { image: hello, command: [sleep] }
  two: { image: hello, command: [sleep] }
`;
  const body = { file: compose, fileName: 'compose.yaml', folder: 'shop', environment: {} };
  const socket = connect(testPaths(folder).engineSocket);
  const text = JSON.stringify(body);
  socket.write(`POST /nest/deployments HTTP/1.1\r\nHost: x\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
  socket.on('error', () => undefined);
  for await (const chunk of socket) if (String(chunk).includes('Starting shop-one-1')) break;
  engine.kill('SIGKILL');
  await once(engine, 'exit');

  const next = await openTestEngine({ folder, guests: fakeGuests(guestsFolder, 'processes') });
  t.teardown(() => next.close());
  const events = await next.stream('POST', '/nest/deployments', body);
  t.is(events.at(-1)?.['type'], 'result');
  const listed = await next.docker.listContainers({ all: true });
  t.deepEqual(listed.map(({ Names, State }) => [Names[0], State]).sort(), [
    ['/shop-one-1', 'running'],
    ['/shop-two-1', 'running'],
  ]);
  t.is(next.guests.list().length, 1);
});

async function spawnEngine(folder: string): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('engine-process.ts', import.meta.url));
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}
