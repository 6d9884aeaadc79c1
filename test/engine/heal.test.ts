import test from 'ava';
import type { EngineEvent } from '../../src/engine/events.ts';
import { NestError } from '../../src/errors.ts';
import { openTestEngine, type TestEngine } from '../helpers/engine.ts';
import { until } from '../helpers/until.ts';

let nest: TestEngine;

test.beforeEach(async () => {
  nest = await openTestEngine();
});
test.afterEach.always(() => nest.close());

/** A container that runs until somebody stops it. */
async function runs(name: string, policy: string, Labels: Record<string, string> = {}) {
  const HostConfig = { RestartPolicy: { Name: policy }, PortBindings: { '80/tcp': [{ HostPort: '' }] } };
  const container = await nest.docker.createContainer({ Image: 'hello', name, Cmd: ['sleep'], Labels, HostConfig });
  await container.start();
  return container;
}

const crashGuest = async (index = 0) => {
  const guest = nest.guests.list()[index];
  await nest.guests.crash(guest?.id ?? '');
  return guest;
};
const status = async (name: string) => (await nest.docker.getContainer(name).inspect()).State.Status;
const statusText = async (name: string) =>
  (await nest.docker.listContainers({ all: true })).find(({ Names }) => Names[0] === `/${name}`)?.Status;

for (const policy of ['always', 'unless-stopped', 'on-failure'])
  test.serial(`when its guest ends, a container with restart policy ${policy} runs in another one`, async (t) => {
    const container = await runs('web', policy);
    const { Ports } = (await container.inspect()).NetworkSettings;
    const former = await crashGuest();
    await until('it to run again', async () => (await status('web')) === 'running');
    const [guest] = nest.guests.list();
    t.is(nest.guests.list().length, 1, 'the guest that ended is gone');
    t.not(guest?.id, former?.id);
    t.is((await container.inspect()).Id, container.id);
    t.deepEqual(Object.keys((await container.inspect()).NetworkSettings.Ports), Object.keys(Ports));
  });

test.serial(
  'containers of one guest move together, those without a policy are dead until they are started',
  async (t) => {
    await runs('one', 'always');
    await runs('two', 'always');
    await runs('three', 'no');
    await crashGuest();
    await until('both to run', async () => (await status('one')) === 'running' && (await status('two')) === 'running');
    t.is(await status('three'), 'dead');
    t.is(await statusText('three'), 'Dead (guest default-1 stopped: its QEMU ended)');
    t.deepEqual(
      nest.guests.list().map(({ state }) => state),
      ['stopped', 'running'],
    );
    await nest.docker.getContainer('three').start();
    t.is(await status('three'), 'running');
    t.is(nest.guests.list().length, 1);
  },
);

test.serial('guests of other zones are not touched', async (t) => {
  await runs('web', 'always');
  const other = await runs('other', 'always', { 'nest.zone': 'other' });
  const before = (await other.inspect()).State;
  await crashGuest();
  await until('it to run again', async () => (await status('web')) === 'running');
  t.deepEqual((await other.inspect()).State, before);
});

test.serial('a container that was stopped stays so', async (t) => {
  const container = await runs('web', 'always');
  await runs('running', 'always');
  await container.stop();
  await crashGuest();
  await until('the other one to run again', async () => (await status('running')) === 'running');
  t.is(await status('web'), 'dead');
});

test.serial(
  'a container that loses guest after guest waits, says so, and can be stopped and removed meanwhile',
  async (t) => {
    const container = await runs('web', 'always');
    await crashGuest();
    await until('it to run again', async () => (await status('web')) === 'running');
    await crashGuest();
    await until('it to wait', async () => (await status('web')) === 'restarting');
    t.regex((await statusText('web')) ?? '', /^Restarting \(137\) .* ago \(2 guests lost\)$/);
    t.is(nest.guests.created, 2);
    await container.stop();
    t.is(await status('web'), 'dead');
    await container.remove();
    await until('the guest to be removed', () => nest.guests.list().length === 0);
    t.is(nest.guests.created, 2);
  },
);

test.serial('a guest that cannot be replaced is reported and tried again later', async (t) => {
  await runs('web', 'always');
  nest.guests.failNext(new NestError('boot-failed', 'boot guest `default-2`: no'));
  await crashGuest();
  await until('the failure to be logged', () => nest.log.some((line) => /another guest.*boot guest/.test(line)));
  t.is(await status('web'), 'restarting');
});

test.serial('what happens to guests is told as events', async (t) => {
  await runs('web', 'no');
  await crashGuest();
  const events = (await nest.stream(
    'GET',
    `/events?since=1&until=${Date.now() / 1000 + 0.001}&filters={"type":["guest"]}`,
  )) as unknown as { Action: EngineEvent['action']; Actor: { Attributes: Record<string, string> } }[];
  t.like(events.at(-1), {
    Action: 'die',
    Actor: { Attributes: { name: 'default-1', zone: 'default', reason: 'its QEMU ended' } },
  });
});

test.serial('an engine that starts runs again what waited when the one before it ended', async (t) => {
  await runs('web', 'always');
  const release = nest.guests.hold();
  await crashGuest();
  await until('another guest to be asked for', () => nest.guests.created === 2);
  await nest.engine.close();
  release();
  const next = await openTestEngine({ folder: nest.paths.data.replace(/\/data$/, ''), guests: nest.guests });
  nest = next;
  await until('it to run again', async () => (await status('web')) === 'running');
  t.is((await nest.docker.listContainers()).length, 1);
});
