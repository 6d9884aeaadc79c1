/** What each fault does to a real guest and its containers: docs/faults.md. */
import test from 'ava';
import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openLibvirt } from '../../src/libvirt/libvirt.ts';
import { busyboxImage } from '../helpers/images.ts';
import { qemuPid, TEST_URI } from '../helpers/libvirt.ts';
import { openNest, type Nest } from '../helpers/nest.ts';
import { until } from '../helpers/until.ts';

const IMAGE = 'localhost/busybox:test';

interface Container {
  name: string;
  state: string;
  status: string;
  guest: string;
}
interface Guest {
  name: string;
  zone: string;
  state: string;
  domain: string;
  reason: string | null;
}

let nest: Nest;

test.before(async () => {
  nest = await openNest();
  // A file system that is small enough to be filled.
  await mkdir(nest.paths.guests, { mode: 0o711 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=711,size=512m', 'tmpfs', nest.paths.guests]);
  await nest.ok('image', 'load', await busyboxImage(path.join(nest.paths.data, 'fixture'), { name: IMAGE }));
  await Promise.all([run('bystander', 'other', 'no'), run('web', 'shop', 'always')]);
  await run('once', 'shop', 'no');
});

test.after.always(async () => {
  execFileSync('umount', ['--lazy', nest.paths.guests]);
  await nest.close();
});

test.serial(
  'a kernel panic ends its guest at once; what is to run runs again, and other guests see nothing',
  async (t) => {
    const before = await container('bystander');
    const guest = await guestOf('web');
    const libvirt = await openLibvirt(TEST_URI);
    t.teardown(() => libvirt.close());
    await libvirt.monitorCommand(guest.domain, '{"execute":"inject-nmi"}');
    await until('the end to be noticed', async () => (await container('once')).state === 'dead', 5);
    t.regex((await container('once')).status, /its kernel panicked: NMI/);
    t.regex((await container('web')).status, /^Restarting \(137\) .*guest lost/);

    await until('web to run again', async () => (await container('web')).state === 'running', 120);
    t.not((await container('web')).guest, guest.name);
    t.is(await nest.ok('exec', 'web', 'hostname'), 'web-host');
    const after = await container('bystander');
    t.deepEqual([after.guest, after.state], [before.guest, 'running']);

    t.regex(await nest.ok('vm', 'console', guest.name), /Kernel panic - not syncing: NMI/);
    await nest.ok('rm', 'once');
    await until('the guest to go', async () => (await guests('shop')).length === 1);
    t.regex(await nest.ok('vm', 'console', guest.name), /Kernel panic - not syncing: NMI/, 'kept when it is gone');
  },
);

test.serial('a frozen guest is noticed within seconds, ended, and its containers run again', async (t) => {
  await nest.ok('rm', '-f', 'web');
  await run('frozen', 'shop', 'unless-stopped');
  const guest = await guestOf('frozen');
  process.kill(await qemuPid(guest.domain), 'SIGSTOP');
  const stoppedAt = Date.now();
  await until('it to be noticed', async () => (await guestNamed(guest.name)).state === 'unreachable', 10);
  t.log(`noticed after ${Date.now() - stoppedAt} ms`);
  await until(
    'it to run again',
    async () => {
      const { state, guest: now } = await container('frozen');
      return state === 'running' && now !== guest.name;
    },
    150,
  );
  t.is(await nest.ok('exec', 'frozen', 'hostname'), 'frozen-host');
  t.is((await container('bystander')).state, 'running');
});

test.serial('a full disk is an error in the containers that write, and their guest goes on', async (t) => {
  const guest = await guestOf('frozen');
  await nest.ok('exec', 'frozen', 'fallocate', '-l', '15G', '/filler');
  const full = await nest.run(['exec', 'frozen', 'fallocate', '-l', '4G', '/more']);
  t.not(full.exitCode, 0);
  t.regex(full.stderr, /No space left on device/);
  t.is(await nest.ok('exec', 'frozen', 'echo', 'here'), 'here');
  await nest.ok('exec', 'frozen', 'rm', '-f', '/filler', '/more');
  await nest.ok('exec', 'frozen', 'sh', '-c', 'echo again >/file && sync');
  t.is((await guestNamed(guest.name)).state, 'running');
});

test.serial('a guest that the host has no space for is paused, says why, and goes on when it is resumed', async (t) => {
  const guest = await guestOf('frozen');
  const filler = path.join(nest.paths.guests, 'filler');
  await t.throwsAsync(writeFile(filler, Buffer.alloc(512 * 1024 ** 2)), { code: 'ENOSPC' });
  await nest.ok(
    'exec',
    '-d',
    'frozen',
    'sh',
    '-c',
    'dd if=/dev/urandom of=/big bs=1M count=32 && sync && echo done >/done',
  );
  await until('it to be paused', async () => (await guestNamed(guest.name)).state === 'paused', 60);
  t.regex((await guestNamed(guest.name)).reason ?? '', /could not write its disk, most likely for want of space/);
  t.is((await container('frozen')).state, 'paused');
  t.is((await container('bystander')).state, 'running');
  await rm(filler);
  await nest.ok('vm', 'resume', guest.name);
  await until('the writer to finish', async () => (await nest.run(['exec', 'frozen', 'cat', '/done'])).exitCode === 0);
  t.is((await guestNamed(guest.name)).reason, null);
});

async function run(name: string, zone: string, restart: string): Promise<void> {
  const policy = ['--restart', restart, '--hostname', `${name}-host`];
  await nest.ok('run', '-d', '--name', name, '--zone', zone, ...policy, IMAGE, 'sleep', '100000');
}

async function container(name: string): Promise<Container> {
  const found = ((await nest.json('ps', '-a')) as Container[]).find((each) => each.name === name);
  if (found === undefined) throw new Error(`no container ${name}`);
  return found;
}

async function guests(zone: string): Promise<Guest[]> {
  return ((await nest.json('vm', 'list')) as Guest[]).filter((guest) => guest.zone === zone);
}

async function guestNamed(name: string): Promise<Guest> {
  const found = ((await nest.json('vm', 'list')) as Guest[]).find((guest) => guest.name === name);
  if (found === undefined) throw new Error(`no guest ${name}`);
  return found;
}

async function guestOf(name: string): Promise<Guest> {
  return guestNamed((await container(name)).guest);
}
