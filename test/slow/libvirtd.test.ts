/** libvirtd comes and goes; engine, guests and containers stay. */
import test from 'ava';
import path from 'node:path';
import { busyboxImage } from '../helpers/images.ts';
import { qemuPid } from '../helpers/libvirt.ts';
import { openNest, type Nest } from '../helpers/nest.ts';
import { privateLibvirt, type PrivateLibvirt } from '../helpers/private-libvirt.ts';
import { until } from '../helpers/until.ts';

const IMAGE = 'localhost/busybox:test';
let libvirt: PrivateLibvirt;
let nest: Nest;

test.before(async () => {
  libvirt = await privateLibvirt();
  nest = await openNest({}, libvirt);
  await nest.ok('image', 'load', await busyboxImage(path.join(nest.paths.data, 'fixture'), { name: IMAGE }));
  await nest.ok('run', '-d', '--name', 'web', '--restart', 'always', IMAGE, 'sleep', '100000');
});

test.after.always(async () => {
  await nest.close();
  await libvirt.close();
});

test.serial('without libvirtd engine and containers go on; what needs it says so', async (t) => {
  const { pid } = (await nest.json('engine', 'status')) as { pid: number };
  await libvirt.kill();
  t.is(await nest.ok('exec', 'web', 'echo', 'still here'), 'still here');
  t.like(await container('web'), { state: 'running' });
  const outcome = await nest.run(['run', '-d', '--zone', 'other', IMAGE, 'true']);
  t.not(outcome.exitCode, 0);
  t.regex(outcome.stderr, /Error: .*connect to libvirt/);
  t.regex(outcome.stderr, /libvirtd/);
  t.like(await nest.json('engine', 'status'), { pid });
});

test.serial('when libvirtd is back the engine finds it by itself, and its guests', async (t) => {
  await libvirt.start();
  await nest.ok('run', '--rm', IMAGE, 'true');
  t.is(((await nest.json('vm', 'list')) as unknown[]).length, 1, 'in the guest that is there');
  t.is(await nest.ok('exec', 'web', 'echo', 'still here'), 'still here');
});

test.serial('a guest that ends while libvirtd is away is noticed, and replaced when libvirtd is back', async (t) => {
  const [guest] = (await nest.json('vm', 'list')) as { name: string; domain: string }[];
  await libvirt.kill();
  process.kill(await qemuPid(guest?.domain ?? ''), 'SIGKILL');
  await until('it to be noticed', async () => (await container('web')).state === 'restarting', 5);
  await libvirt.start();
  await until('web to run again', async () => (await container('web')).state === 'running', 150);
  t.is(await nest.ok('exec', 'web', 'echo', 'here again'), 'here again');
});

async function container(name: string): Promise<{ state: string }> {
  const found = ((await nest.json('ps', '-a')) as { name: string; state: string }[]).find((each) => each.name === name);
  if (found === undefined) throw new Error(`no container ${name}`);
  return found;
}
