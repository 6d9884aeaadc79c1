import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { pluggedDisks } from '../../src/libvirt/description.ts';
import { openLibvirt } from '../../src/libvirt/libvirt.ts';
import { busyboxImage } from '../helpers/images.ts';
import { qemuPid, TEST_URI } from '../helpers/libvirt.ts';
import { openNest, type Nest } from '../helpers/nest.ts';
import { until } from '../helpers/until.ts';

const IMAGE = 'localhost/busybox:volumes';
/** An image that has VOLUME. */
const DECLARING = 'localhost/busybox:declaring';
let nest: Nest;

interface Volume {
  name: string;
  zone: string;
  used: number;
  guests: string[];
  containers: string[];
}

test.before(async () => {
  nest = await openNest();
  const image = await busyboxImage(path.join(nest.paths.data, 'fixture'), {
    name: IMAGE,
    layers: [
      [
        { name: 'srv/', type: 'directory', mode: 0o750, uid: 7, gid: 8 },
        { name: 'srv/from-image', content: 'seed', uid: 9 },
        { name: 'srv/hard', type: 'link', linkname: 'srv/from-image' },
        { name: 'srv/deep/', type: 'directory' },
        { name: 'srv/deep/link', type: 'symlink', linkname: '/nowhere' },
      ],
    ],
  });
  await nest.ok('image', 'load', image);
  const declaring = { name: DECLARING, volumes: ['/declared'] };
  await nest.ok('image', 'load', await busyboxImage(path.join(nest.paths.data, 'declaring'), declaring));
});

test.after.always(() => nest.close());

const run = (...args: string[]) => nest.ok('run', ...args);
/** Memory for which a guest of the usual shape has room, but not for both. */
const HALF = ['-m', '500m'];
const MORE = ['-m', '600m'];
const sleeper = ['sleep', '100000'];
const volumes = async () => (await nest.json('volume', 'list')) as Volume[];
const volume = async (name: string) => (await volumes()).find((each) => each.name === name);
const inGuest = async (container: string) =>
  ((await nest.json('ps', '-a')) as { name: string; guest: string; state: string }[]).find(
    ({ name }) => name === container,
  );
const disk = async (name: string) => {
  const [found] = JSON.parse(await nest.ok('volume', 'inspect', name)) as { Mountpoint: string }[];
  return found?.Mountpoint ?? '';
};

test.serial('a volume gets what the image has in its place, and outlives its containers', async (t) => {
  const listing = await run('--name', 'seed', '-v', 'data:/srv', IMAGE, 'sh', '-c', SEEN);
  t.deepEqual(listing.split('\n'), ['750 7:8 seed', '9 2', '/nowhere', 'data:']);
  await nest.ok('rm', 'seed');
  t.is(await run('--rm', '-v', 'data:/srv', IMAGE, 'cat', '/srv/file'), 'kept');
  // It is empty no more: what the image has there stays out, deleted files too.
  await run('--rm', '-v', 'data:/srv', IMAGE, 'rm', '/srv/from-image');
  t.is(await run('--rm', '-v', 'data:/srv:ro', IMAGE, 'ls', '/srv'), 'deep\nfile\nhard');
  t.like(await volume('data'), { zone: 'default', containers: [] });
});

const SEEN = [
  'echo $(stat -c "%a %u:%g" /srv) $(cat /srv/from-image)',
  'stat -c "%u %h" /srv/hard',
  'readlink /srv/deep/link',
  'echo data:',
  'echo kept >/srv/file',
].join('; ');

test.serial('containers of one guest share it; another guest cannot have it meanwhile, which is said', async (t) => {
  await run('-d', '--name', 'writer', ...HALF, '--restart', 'always', '-v', 'data:/srv', IMAGE, ...sleeper);
  await run('-d', '--name', 'reader', '--mount', 'type=volume,source=data,target=/in,readonly', IMAGE, ...sleeper);
  await nest.ok('exec', 'writer', 'sh', '-c', 'echo shared >/srv/shared; sync');
  t.is(await nest.ok('exec', 'reader', 'cat', '/in/shared'), 'shared');
  t.regex((await nest.run(['exec', 'reader', 'touch', '/in/x'])).stderr, /Read-only file system/);
  const [writer, reader] = await Promise.all([inGuest('writer'), inGuest('reader')]);
  t.is(writer?.guest, reader?.guest);

  const elsewhere = await nest.run(['run', '--rm', ...MORE, '-v', 'data:/srv', IMAGE, 'true']);
  t.is(elsewhere.exitCode, 125);
  t.regex(elsewhere.stderr, /volume `data` is in use in guest `default-1`, which has \d+ MiB and 2 CPUs for 600 MiB/);
  const stranger = await nest.run(['run', '--rm', '--zone', 'other', '-v', 'data:/srv', IMAGE, 'true']);
  t.regex(stranger.stderr, /volume `data` belongs to zone `default`, the container to zone `other`/);
  t.regex(stranger.stderr, /nest volume update --zone other data/);
  t.regex((await nest.run(['volume', 'rm', 'data'])).stderr, /volume is in use by containers `writer`, `reader`/);
  t.like(await volume('data'), { guests: ['default-1'], containers: ['writer', 'reader'] });
  await nest.ok('rm', '-f', 'reader');
});

test.serial('what was synced outlives a QEMU that is killed: the healed container has its volume', async (t) => {
  const before = await inGuest('writer');
  const { domain } = (await nest.json('vm', 'show', before?.guest ?? '')) as { domain: string };
  await nest.ok(
    'exec',
    'writer',
    'sh',
    '-c',
    'echo precious >/srv/precious; sync; (while :; do echo x >>/srv/noise; done) &',
  );
  process.kill(await qemuPid(domain), 'SIGKILL');
  await until(
    'the container to run elsewhere',
    async () => {
      const now = await inGuest('writer');
      return now?.state === 'running' && now.guest !== before?.guest;
    },
    150,
  );
  t.is(await nest.ok('exec', 'writer', 'cat', '/srv/precious', '/srv/file'), 'precious\nkept');
});

test.serial('it moves to another guest once nobody runs with it', async (t) => {
  await nest.ok('stop', '-t', '0', 'writer');
  t.is(await run('--rm', ...MORE, '-v', 'data:/srv', IMAGE, 'cat', '/srv/precious'), 'precious');
  await nest.ok('rm', 'writer');
});

test.serial(
  'a volume that all users only read is read-only for QEMU, and several guests have it at once',
  async (t) => {
    await run('-d', '--name', 'one', ...HALF, '-v', 'data:/srv:ro', IMAGE, ...sleeper);
    await run('-d', '--name', 'two', ...MORE, '-v', 'data:/srv:ro', IMAGE, ...sleeper);
    const libvirt = await openLibvirt(TEST_URI);
    t.teardown(() => libvirt.close());
    const file = await disk('data');
    for (const name of ['one', 'two']) {
      t.is(await nest.ok('exec', name, 'cat', '/srv/precious'), 'precious');
      const { domain } = (await nest.json('vm', 'show', (await inGuest(name))?.guest ?? '')) as { domain: string };
      const plugged = pluggedDisks(await libvirt.describe(domain)).find((each) => each.file === file);
      t.true(plugged?.readOnly);
    }
    t.is((await volume('data'))?.guests.length, 2);
    const writer = await nest.run(['run', '--rm', '-v', 'data:/srv', IMAGE, 'true']);
    t.regex(writer.stderr, /volume `data` is in use in guest/);
    await nest.ok('rm', '-f', 'one', 'two');
  },
);

test.serial('what is deleted in a volume goes back to the host', async (t) => {
  const file = await disk('data');
  const allocated = async () => (await stat(file)).blocks * 512;
  await run('-d', '--name', 'big', '-v', 'data:/srv', IMAGE, ...sleeper);
  await nest.ok('exec', 'big', 'dd', 'if=/dev/urandom', 'of=/srv/big', 'bs=1M', 'count=32', 'conv=fsync');
  const full = await allocated();
  t.true(full > 32 * 1024 ** 2);
  await nest.ok('exec', 'big', 'sh', '-c', 'rm /srv/big; sync');
  await until('the space to come back', async () => (await allocated()) < full - 30 * 1024 ** 2);
  await nest.ok('rm', '-f', 'big');
});

test.serial(
  'volumes without a name go with their container where that is asked for; prune takes the rest',
  async (t) => {
    await run('--rm', '-v', '/own', DECLARING, 'touch', '/own/x', '/declared/x');
    await until('both to go', async () => (await volumes()).length === 1);
    await run('--name', 'kept', DECLARING, 'true');
    await nest.ok('rm', 'kept');
    t.is((await volumes()).length, 2);
    t.regex(await nest.ok('volume', 'prune', '-f'), /Removed volume: [0-9a-f]{64}\nFreed /);
    await run('--name', 'dropped', DECLARING, 'true');
    await nest.ok('rm', '-v', 'dropped');
    t.deepEqual(
      (await volumes()).map(({ name }) => name),
      ['data'],
    );
    t.regex(await nest.ok('system', 'df'), /Volumes +1 +0 +/);
  },
);

test.serial('files of this host are copied into a container: what changes later shows on neither side', async (t) => {
  const here = path.join(nest.paths.data, 'site');
  await mkdir(here);
  await writeFile(path.join(here, 'page'), 'first');
  await run('-d', '--name', 'site', '-v', `${here}:/site`, '-v', `${here}/page:/etc/page:ro`, IMAGE, ...sleeper);
  t.is(await nest.ok('exec', 'site', 'cat', '/site/page', '/etc/page'), 'firstfirst');
  t.regex((await nest.run(['exec', 'site', 'sh', '-c', 'echo x >/etc/page'])).stderr, /Read-only file system/);
  await nest.ok('exec', 'site', 'sh', '-c', 'echo inside >/site/page');
  t.is(await readFile(path.join(here, 'page'), 'utf8'), 'first');
  await nest.ok('rm', '-f', 'site');
});

test.serial('a volume can be given to another zone, and has its place there', async (t) => {
  await nest.ok('volume', 'update', '--zone', 'other', 'data');
  t.is(await run('--rm', '--zone', 'other', '-v', 'data:/srv', IMAGE, 'cat', '/srv/precious'), 'precious');
  for (const target of ['/proc', '/proc/sys', '/sys/fs', '/']) {
    const refused = await nest.run(['run', '--rm', '-v', `data:${target}`, IMAGE, 'true']);
    t.is(refused.exitCode, 125, target);
  }
  await nest.ok('volume', 'rm', 'data');
  t.deepEqual(await volumes(), []);
  t.notRegex(await readFile(nest.paths.engineLog, 'utf8'), /detach volume|undo:/);
});
