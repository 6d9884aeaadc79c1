import test from 'ava';
import { openTestEngine, type TestEngine } from '../helpers/engine.ts';
import { until } from '../helpers/until.ts';

let nest: TestEngine;

test.beforeEach(async () => {
  nest = await openTestEngine();
});
test.afterEach.always(() => nest.close());

async function runs(name: string, policy: string) {
  const HostConfig = { RestartPolicy: { Name: policy } };
  const container = await nest.docker.createContainer({ Image: 'hello', name, Cmd: ['sleep'], HostConfig });
  await container.start();
  return container;
}

const change = async (verb: string) => (await nest.stream('POST', `/nest/guests/default-1/${verb}`)).at(-1);
const status = async (name: string) => (await nest.docker.getContainer(name).inspect()).State.Status;
const text = async (name: string) =>
  (await nest.docker.listContainers({ all: true })).find(({ Names }) => Names[0] === `/${name}`)?.Status ?? '';

test.serial('a stopped guest keeps its containers; started again, those run whose policy asks for it', async (t) => {
  await runs('web', 'always');
  const once = await runs('once', 'no');
  t.like(await change('stop'), { type: 'result', value: { name: 'default-1', state: 'stopped', reason: null } });
  t.like(await change('stop'), { type: 'result', value: { state: 'stopped' } }, 'stopped already is success');
  t.regex(await text('web'), /^Exited \(\d+\) .* ago \(guest stopped\)$/);
  t.is(await status('once'), 'exited');
  await t.throwsAsync(once.start(), { message: /409.*guest default-1 is stopped/ });
  t.is(nest.guests.created, 1, 'nothing is healed that somebody has stopped');

  t.like(await change('start'), { type: 'result', value: { state: 'running' } });
  await until('web to run again', async () => (await status('web')) === 'running');
  t.is(await status('once'), 'exited');
  t.is(nest.guests.created, 1);
  await once.start();
  t.is(await status('once'), 'running');
});

test.serial('a container that was removed while its guest was stopped is gone when that is started', async (t) => {
  const container = await runs('web', 'always');
  await runs('other', 'always');
  await change('stop');
  await container.remove();
  await change('start');
  await until('the other one to run', async () => (await status('other')) === 'running');
  const [guest] = nest.guests.list();
  await until('it to be removed', () => nest.guests.agent(guest?.id ?? '').containers.size === 1);
  t.is((await nest.docker.listContainers({ all: true })).length, 1);
});

test.serial('reboot stops and starts', async (t) => {
  await runs('web', 'always');
  t.like(await change('reboot'), { type: 'result', value: { state: 'running' } });
  await until('web to run again', async () => (await status('web')) === 'running');
  t.is(nest.guests.created, 1);
});

test.serial('containers of a paused guest are shown so, and cannot be talked to', async (t) => {
  const container = await runs('web', 'always');
  t.like(await change('pause'), { type: 'result', value: { state: 'paused' } });
  t.like((await container.inspect()).State, { Status: 'paused', Paused: true, Running: true });
  t.regex(await text('web'), /^Up .* \(Paused\)$/);
  await t.throwsAsync(container.stop(), { message: /409.*guest `default-1` is paused/ });
  const other = await nest.docker.createContainer({ Image: 'hello', name: 'other' });
  t.is(nest.guests.created, 2, 'nothing is placed in it');
  await other.remove();
  t.like(await change('resume'), { type: 'result', value: { state: 'running' } });
  t.is(await status('web'), 'running');
  await container.stop({ t: 0 });
});

test.serial('a paused guest can be stopped', async (t) => {
  await runs('web', 'always');
  await change('pause');
  t.like(await change('stop'), { type: 'result', value: { state: 'stopped' } });
});

test.serial('a stopped guest without containers is kept for whoever stopped it', async (t) => {
  const container = await runs('web', 'no');
  await change('stop');
  await container.remove();
  t.is(nest.guests.list().length, 1);
  t.is((await nest.call('DELETE', '/nest/guests/default-1')).status, 204);
  t.is(nest.guests.list().length, 0);
});

test.serial('a guest that is not there is one clear error', async (t) => {
  t.like(await nest.call('POST', '/nest/guests/nobody/stop'), { status: 404 });
});

test.serial('a guest is resized at its next start, and takes until then only what fits both', async (t) => {
  await runs('web', 'always');
  const resize = (body: object) => nest.call('POST', '/nest/guests/default-1/resize', body);
  t.like(await resize({ vcpus: 1, memory: 512 * 2 ** 20 }), {
    status: 200,
    body: { vcpus: 2, memory: 2 ** 30, next: { vcpus: 1, memory: 512 * 2 ** 20 } },
  });
  t.like((await resize({ memory: 100 })).body, { code: 'invalid-input' });
  t.like((await resize({ vcpus: 64 })).body, { code: 'no-room' });
  const HostConfig = { Memory: 400 * 2 ** 20 };
  await nest.docker.createContainer({ Image: 'hello', name: 'large', Cmd: ['sleep'], HostConfig });
  t.is(nest.guests.created, 2, 'it would have fitted only until the next start');
  t.like(await change('reboot'), { type: 'result', value: { vcpus: 1, memory: 512 * 2 ** 20, next: null } });
});
