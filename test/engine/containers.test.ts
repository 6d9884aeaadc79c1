import test from 'ava';
import Docker from 'dockerode';
import { text } from 'node:stream/consumers';
import { request } from '../../src/client/http.ts';
import { NestError } from '../../src/errors.ts';
import { until } from '../helpers/until.ts';
import { demultiplexed, openTestEngine, type TestEngine } from '../helpers/engine.ts';

let nest: TestEngine;

test.beforeEach(async () => {
  nest = await openTestEngine();
});
test.afterEach.always(() => nest.close());

const run = (options: Docker.ContainerCreateOptions) => nest.docker.createContainer({ Image: 'hello', ...options });

test.serial('attach, wait, start: nothing of a short container is missed', async (t) => {
  const container = await run({ Cmd: ['echo', 'hi'] });
  const stream = await container.attach({ stream: true, stdout: true, stderr: true, hijack: true });
  const ended = container.wait();
  await container.start();
  t.deepEqual(await demultiplexed(nest.docker, stream), { stdout: 'hi\n', stderr: '' });
  t.like(await ended, { StatusCode: 0 });
});

test.serial('attach without an upgrade answers 200 and the same frames', async (t) => {
  const container = await run({ Cmd: ['echo', 'hi'] });
  const stream = await container.attach({ stream: true, stdout: true, stderr: true });
  await container.start();
  t.deepEqual(await demultiplexed(nest.docker, stream), { stdout: 'hi\n', stderr: '' });
});

test.serial('stdin reaches the container, and its end too, while the output goes on', async (t) => {
  const container = await run({ Cmd: ['cat'], OpenStdin: true });
  const stream = await container.attach({ stream: true, stdin: true, stdout: true, hijack: true });
  await container.start();
  stream.end('through');
  t.deepEqual(await demultiplexed(nest.docker, stream), { stdout: 'through', stderr: '' });
});

test.serial('logs give what was written, only the streams asked for', async (t) => {
  const container = await run({ Cmd: ['both'] });
  const ended = container.wait({ condition: 'next-exit' });
  await container.start();
  await ended;
  const both = await container.logs({ stdout: true, stderr: true, follow: true });
  t.deepEqual(await demultiplexed(nest.docker, both), { stdout: 'out\n', stderr: 'err\n' });
  const errors = await container.logs({ stderr: true, follow: true });
  t.deepEqual(await demultiplexed(nest.docker, errors), { stdout: '', stderr: 'err\n' });
});

test.serial('a guest that sends what is no frame does not reach the client', async (t) => {
  const container = await run({ Cmd: ['junk'] });
  await container.start();
  const stream = await container.logs({ stdout: true, stderr: true, follow: true });
  await t.throwsAsync(text(stream), { message: 'aborted' });
});

test.serial('exec passes stdin and output, and tells the exit code', async (t) => {
  const container = await run({ Cmd: ['sleep'] });
  await container.start();
  const exec = await container.exec({ Cmd: ['cat'], AttachStdin: true, AttachStdout: true });
  const stream = await exec.start({ hijack: true, stdin: true });
  stream.end('x');
  t.deepEqual(await demultiplexed(nest.docker, stream), { stdout: 'x', stderr: '' });
  t.like(await exec.inspect(), { Running: false, ExitCode: 0 });
  const failing = await container.exec({ Cmd: ['exit', '4'] });
  await demultiplexed(nest.docker, await failing.start({}));
  t.like(await failing.inspect(), { ExitCode: 4 });
});

test.serial('exec in a container that does not run is a conflict', async (t) => {
  const container = await run({});
  await t.throwsAsync(container.exec({ Cmd: ['x'] }), { message: /409.*not running/ });
});

test.serial('inspect shows what was asked for over what the image says', async (t) => {
  const container = await run({
    name: 'web',
    Env: ['COLOR=blue', 'SIZE=1'],
    Labels: { a: 'b' },
    HostConfig: { Memory: 64 * 1024 ** 2, NanoCpus: 5e8, PidsLimit: 10 },
  });
  const details = await container.inspect();
  t.is(details.Name, '/web');
  t.like(details.State, { Status: 'created', Running: false, OOMKilled: false });
  t.deepEqual(
    details.Config.Env.filter((entry) => !entry.startsWith('HOSTNAME')),
    ['PATH=/bin', 'COLOR=blue', 'SIZE=1'],
  );
  t.deepEqual(details.Config.Labels, { made: 'by hand', a: 'b', 'nest.zone': 'default' });
  t.deepEqual(details.Config.Cmd, ['sleep']);
  t.like(details.HostConfig, { Memory: 64 * 1024 ** 2, NanoCpus: 5e8, PidsLimit: 10 });
});

test.serial('list shows running containers, all on request, and filters by label, name and status', async (t) => {
  const web = await run({ name: 'web', Labels: { tier: 'front' } });
  await run({ name: 'db', Labels: { tier: 'back' } });
  await web.start();
  const names = async (options: Docker.ContainerListOptions) =>
    (await nest.docker.listContainers(options)).map(({ Names }) => Names[0]);
  t.deepEqual(await names({}), ['/web']);
  t.deepEqual((await names({ all: true })).sort(), ['/db', '/web']);
  t.deepEqual(await names({ all: true, filters: { label: ['tier=back'] } }), ['/db']);
  t.deepEqual(await names({ filters: { status: ['created'] } }), ['/db']);
  t.deepEqual(await names({ all: true, filters: '{"name":{"we":true}}' }), ['/web']);
});

test.serial('stop, start and kill; doing what is done already succeeds', async (t) => {
  const container = await run({});
  t.is((await nest.call('POST', `/containers/${container.id}/start`)).status, 204);
  t.is((await nest.call('POST', `/containers/${container.id}/start`)).status, 304);
  await container.stop();
  t.is((await nest.call('POST', `/containers/${container.id}/stop`)).status, 304);
  t.like((await container.inspect()).State, { Status: 'exited', ExitCode: 143 });
  await t.throwsAsync(container.kill(), { message: /409/ });
  await container.start();
  await container.kill({ signal: 'KILL' });
  t.like((await container.inspect()).State, { Status: 'exited', ExitCode: 137 });
});

test.serial('a running container is not removed without force', async (t) => {
  const container = await run({});
  await container.start();
  await t.throwsAsync(container.remove(), { message: /409.*running/ });
  await t.throwsAsync(container.remove({ force: undefined, v: undefined }), { message: /409.*running/ });
  await container.remove({ force: true });
  await t.throwsAsync(container.inspect(), { message: /404.*No such container/ });
  t.deepEqual(await nest.docker.listContainers({ all: true }), []);
});

test.serial('a container with AutoRemove is gone when it has ended, and wait tells its exit code', async (t) => {
  const container = await run({ Cmd: ['exit', '3'], HostConfig: { AutoRemove: true } });
  const removed = container.wait({ condition: 'removed' });
  await container.start();
  t.like(await removed, { StatusCode: 3 });
  t.deepEqual(await nest.docker.listContainers({ all: true }), []);
});

test.serial('a container that ran out of memory says OOM', async (t) => {
  const container = await run({ Cmd: ['oom'] });
  const ended = container.wait({ condition: 'next-exit' });
  await container.start();
  t.like(await ended, { StatusCode: 137 });
  t.true((await container.inspect()).State.OOMKilled);
  const [listed] = await nest.docker.listContainers({ all: true });
  t.regex(listed?.Status ?? '', /^Exited \(137\) .* ago \(OOM\)$/);
});

test.serial('the error of a command that is not there has the words that docker run maps to 127', async (t) => {
  const container = await run({ Cmd: ['missing'] });
  const { status, body } = await nest.call('POST', `/containers/${container.id}/start`);
  t.is(status, 400);
  t.like(body, { code: 'exec-failed', message: 'execve `missing`: not there: no such file or directory' });
  t.like((await container.inspect()).State, { Status: 'created' });
});

test.serial(
  'containers of a zone share a guest, those of another have their own, also when asked at once',
  async (t) => {
    const zones = ['a', 'b', 'a', 'a', 'b'];
    await Promise.all(zones.map((zone) => run({ Labels: { 'nest.zone': zone } })));
    t.is(nest.guests.created, 2);
    const guests = (await nest.call('GET', '/nest/guests')).body as { zone: string; containers: unknown[] }[];
    t.deepEqual(Object.fromEntries(guests.map(({ zone, containers }) => [zone, containers.length])), { a: 3, b: 2 });
  },
);

test.serial('a boot that fails fails all that wait for it, and leaves nothing', async (t) => {
  nest.guests.failNext(new NestError('boot-failed', 'boot guest `default-1`: no answer', { hint: 'look' }));
  const release = nest.guests.hold();
  const both = Promise.allSettled([run({ name: 'one' }), run({ name: 'two' })]);
  const creating = async () => ((await nest.call('GET', '/info')).body as { Containers: number }).Containers;
  await until('both to wait', async () => (await creating()) === 2 && nest.guests.created === 1);
  release();
  const results = await both;
  t.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  t.deepEqual(await nest.docker.listContainers({ all: true }), []);
  t.deepEqual(nest.guests.list(), []);
  await run({ name: 'one' });
  t.is(nest.guests.list().length, 1);
});

test.serial('a client that goes away while a guest boots leaves nothing', async (t) => {
  nest.guests.hold();
  const gone = new AbortController();
  const creating = nest.docker.createContainer({
    _query: {},
    _body: { Image: 'hello' },
    abortSignal: gone.signal,
  } as Docker.ContainerCreateOptions);
  await until('a boot to begin', () => nest.guests.created === 1);
  gone.abort();
  await t.throwsAsync(creating);
  await until('the guest to be removed', () => nest.guests.list().length === 0);
  t.deepEqual(await nest.docker.listContainers({ all: true }), []);
});

test.serial('a client that hangs up on its side while a guest boots leaves nothing, either', async (t) => {
  nest.guests.hold();
  const gone = new AbortController();
  const asked = { method: 'POST', path: '/containers/create', body: { Image: 'hello' }, settles: true } as const;
  const creating = request(nest.paths.engineSocket, { ...asked, signal: gone.signal });
  await until('a boot to begin', () => nest.guests.created === 1);
  gone.abort(new Error('stop'));
  await t.throwsAsync(creating, { message: 'stop' });
  await until('the guest to be removed', () => nest.guests.list().length === 0);
  t.deepEqual(await nest.docker.listContainers({ all: true }), []);
});

test.serial('an unknown image is 404, and nothing is left', async (t) => {
  const { status, type, body } = await nest.call('POST', '/containers/create?name=x', { Image: 'nope' });
  t.is(status, 404);
  t.is(type, 'application/json');
  t.like(body, { code: 'image-not-found', message: 'No such image: nope' });
  t.deepEqual(await nest.docker.listContainers({ all: true }), []);
});

test.serial('a taken name is a conflict', async (t) => {
  await run({ name: 'web' });
  await t.throwsAsync(run({ name: 'web' }), { message: /409.*in use/ });
  t.is((await nest.docker.listContainers({ all: true })).length, 1);
});

test.serial('more memory than the host has is refused, and nothing is left', async (t) => {
  const body = { Image: 'hello', HostConfig: { Memory: 64 * 1024 ** 3 } };
  t.like(await nest.call('POST', '/containers/create', body), { status: 507 });
  t.deepEqual(nest.guests.list(), []);
});

test.serial('when the guest ends under it, a container is dead and says why', async (t) => {
  const container = await run({ name: 'web' });
  await container.start();
  const ended = container.wait();
  const [guest] = nest.guests.list();
  await nest.guests.crash(guest?.id ?? '');
  const Message = 'guest default-1 stopped: its QEMU ended';
  t.like(await ended, { StatusCode: 137, Error: { Message } });
  t.like((await container.inspect()).State, { Status: 'dead', Running: false, Error: Message });
  await t.throwsAsync(container.exec({ Cmd: ['x'] }), { message: /409.*not running/ });
  await container.remove();
  await until('the guest to be removed', () => nest.guests.list().length === 0);
  t.pass('the stopped guest went with its last container');
});

test.serial('events tell what happened, with labels to filter by', async (t) => {
  const container = await run({ name: 'web', Cmd: ['exit', '2'], Labels: { a: 'b' } });
  const ended = container.wait({ condition: 'next-exit' });
  await container.start();
  await ended;
  await container.remove();
  const events = await nest.stream(
    'GET',
    `/events?since=1&until=${Date.now() / 1000 + 0.001}&filters={"label":["a=b"]}`,
  );
  t.deepEqual(
    events.map(({ Action }) => Action),
    ['create', 'start', 'die', 'destroy'],
  );
  const none = await nest.stream('GET', `/events?since=1&until=${Date.now() / 1000 + 0.001}&filters={"label":["a=c"]}`);
  t.deepEqual(none, []);
});

test.serial('a guest may speak only for its own containers', async (t) => {
  const mine = await run({ Labels: { 'nest.zone': 'a' } });
  await run({ Labels: { 'nest.zone': 'b' } });
  await mine.start();
  const other = nest.guests.list().find(({ zone }) => zone === 'b');
  const agent = nest.guests.agent(other?.id ?? '');
  const [own] = agent.containers.values();
  if (own === undefined) return t.fail();
  agent.emit({ type: 'removed', id: mine.id });
  agent.emit({ type: 'state', state: { ...own.state, id: mine.id, status: 'exited', finishedAt: Date.now() } });
  agent.emit({ type: 'state', state: { ...own.state, status: 'exited', exitCode: 9, finishedAt: Date.now() } });
  await until(
    'the event to arrive',
    async () => (await nest.docker.getContainer(own.spec.id).inspect()).State.ExitCode === 9,
  );
  t.like((await mine.inspect()).State, { Status: 'running' });
});

test.serial('a guest that talks nonsense is asked again, and its containers are known afterwards', async (t) => {
  const container = await run({});
  await container.start();
  const [guest] = nest.guests.list();
  const agent = nest.guests.agent(guest?.id ?? '');
  agent.emit({ type: 'nonsense' } as never);
  await until('the nonsense to be noticed', () => nest.log.length > 0);
  await container.stop();
  await container.start();
  agent.emit({ type: 'nonsense' } as never);
  await nest.docker.getContainer(container.id).kill();
  await until('the kill to be known', async () => !(await container.inspect()).State.Running);
  t.is(nest.log.length, 1, 'the same complaint is logged once');
});
