/** A real guest is paused, stopped and started with its containers; then the host forgets all that runs on it. */
import test from 'ava';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { busyboxImage } from '../helpers/images.ts';
import { qemuPid } from '../helpers/libvirt.ts';
import { openNest, type Nest } from '../helpers/nest.ts';
import { until } from '../helpers/until.ts';

const IMAGE = 'localhost/busybox:test';
/** Ends at once when it is told to. */
const TRAP = 'trap "exit 0" TERM; while :; do sleep 1; done';

interface Container {
  name: string;
  state: string;
  status: string;
  guest: string;
}

let nest: Nest;

test.before(async () => {
  nest = await openNest();
  await nest.ok('image', 'load', await busyboxImage(path.join(nest.paths.data, 'fixture'), { name: IMAGE }));
  await nest.ok('run', '-d', '--name', 'web', '--restart', 'always', IMAGE, 'sh', '-c', TRAP);
  await nest.ok('run', '-d', '--name', 'once', IMAGE, 'sh', '-c', TRAP);
});

test.after.always(() => nest.close());

test.serial('a paused guest keeps its containers as they are, and is not taken for a frozen one', async (t) => {
  await nest.ok('exec', '-d', 'web', 'sh', '-c', 'while :; do date +%s >>/ticks; sleep 1; done');
  t.is(await nest.ok('vm', 'pause', 'default-1'), 'default-1');
  t.like(await container('web'), { state: 'paused' });
  const refused = await nest.run(['exec', 'web', 'true']);
  t.regex(refused.stderr, /guest `default-1` is paused\n.*nest vm resume default-1/);
  // Longer than a silent guest is left alone.
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  t.like(await container('web'), { state: 'paused' });
  t.like(await nest.json('vm', 'resume', 'default-1'), { name: 'default-1', state: 'running' });
  t.is(await nest.ok('exec', 'web', 'echo', 'here'), 'here');
  t.like(await container('web'), { state: 'running', guest: 'default-1' });
});

test.serial('a snapshot brings back files, processes and memory; what came later is gone', async (t) => {
  await nest.ok('exec', 'web', 'sh', '-c', 'echo before >/file');
  t.is(await nest.ok('vm', 'snapshot', 'create', 'default-1', 'one'), 'one');
  await nest.ok('exec', 'web', 'sh', '-c', 'echo after >/file');
  await nest.ok('stop', 'once');
  await nest.ok('run', '-d', '--name', 'later', IMAGE, 'sleep', '1000');
  t.like(await nest.json('vm', 'snapshot', 'list', 'default-1'), [{ name: 'one' }]);

  t.like(await nest.json('vm', 'snapshot', 'restore', 'default-1', 'one'), { state: 'running' });
  t.is(await nest.ok('exec', 'web', 'cat', '/file'), 'before');
  await until('once to run as it did then', async () => (await container('once')).state === 'running');
  t.is((await container('later')).state, 'dead');
  t.regex((await container('later')).status, /restored to one, which does not have it/);
  const before = Date.now() / 1000;
  const seconds = Number(await nest.ok('exec', 'web', 'date', '+%s'));
  t.true(seconds > before - 2 && seconds < Date.now() / 1000 + 2, 'its clock is right');
  await nest.ok('rm', 'later');

  await nest.ok('vm', 'snapshot', 'delete', 'default-1', 'one');
  await nest.ok('vm', 'snapshot', 'delete', 'default-1', 'one');
  const refused = await nest.run(['vm', 'snapshot', 'restore', 'default-1', 'one']);
  t.regex(refused.stderr, /guest `default-1` has no snapshot `one`/);
  t.is(await nest.ok('exec', 'web', 'cat', '/file'), 'before');
});

test.serial(
  'a guest that is stopped and started has its files and its new size, and runs what its policies ask for',
  async (t) => {
    await nest.ok('exec', 'web', 'sh', '-c', 'echo kept >/file');
    await nest.ok('vm', 'resize', 'default-1', '--memory', '1280m');
    await nest.ok('vm', 'stop', 'default-1');
    t.regex((await container('web')).status, /^Exited .*\(guest stopped\)$/);
    t.like(await nest.json('vm', 'stop', 'default-1'), { state: 'stopped' });
    await nest.ok('engine', 'stop');
    const stopped = { state: 'stopped', reason: null, next: { vcpus: 2, memory: 1280 * 2 ** 20 } };
    t.like(await nest.json('vm', 'show', 'default-1'), stopped, 'also for the next engine');

    await nest.ok('vm', 'start', 'default-1');
    await until('web to run again', async () => (await container('web')).state === 'running');
    t.is(await nest.ok('exec', 'web', 'cat', '/file'), 'kept');
    t.like(await nest.json('vm', 'show', 'default-1'), { memory: 1280 * 2 ** 20, next: null });
    t.like(await container('once'), { state: 'exited' });
    await nest.ok('start', 'once');
    t.is(((await nest.json('vm', 'list')) as unknown[]).length, 1);
  },
);

test.serial('after the host restarted, policies decide what runs again, and the rest is reported', async (t) => {
  const { pid } = (await nest.json('engine', 'status')) as { pid: number };
  const [guest] = (await nest.json('vm', 'list')) as { domain: string }[];
  process.kill(pid, 'SIGKILL');
  process.kill(await qemuPid(guest?.domain ?? ''), 'SIGKILL');
  await rm(nest.paths.runtime, { recursive: true });

  await nest.ok('engine', 'start');
  await until('once to be reported', async () => (await container('once')).state === 'dead');
  t.regex((await container('once')).status, /^Dead \(guest default-1 stopped: it ended while no engine looked/);
  await until('web to run again', async () => (await container('web')).state === 'running', 120);
  t.is(await nest.ok('exec', 'web', 'echo', 'here'), 'here');
  await nest.ok('start', 'once');
  t.like(await container('once'), { state: 'running' });
  t.is(((await nest.json('vm', 'list')) as unknown[]).length, 1, 'the guest that ended is gone');
});

async function container(name: string): Promise<Container> {
  const found = ((await nest.json('ps', '-a')) as Container[]).find((each) => each.name === name);
  if (found === undefined) throw new Error(`no container ${name}`);
  return found;
}
