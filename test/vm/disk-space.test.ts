import { stat } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { guestPaths } from '../../src/paths.ts';
import { busyboxImage } from '../helpers/images.ts';
import { openNest, type Nest } from '../helpers/nest.ts';
import { until } from '../helpers/until.ts';

const IMAGE = 'localhost/busybox:latest';
let nest: Nest;

test.before(async () => {
  nest = await openNest();
  await nest.ok('image', 'load', await busyboxImage(path.join(nest.paths.data, 'busybox')));
});
test.after.always(() => nest.close());

test.serial('what a container wrote goes back to the host with it, and its layers leave the guest', async (t) => {
  await nest.ok('run', '-d', '--name', 'keeper', IMAGE, 'sleep', '100000');
  const [guest] = (await nest.json('vm', 'list')) as { id: string; name: string }[];
  const allocated = async () => (await stat(guestPaths(nest.paths, guest?.id ?? '').disk)).blocks * 512;
  const layers = async () => ((await nest.json('vm', 'show', guest?.name ?? '')) as { layers: string[] }).layers.length;
  const before = await allocated();
  t.is(await layers(), 1);

  const other = await busyboxImage(path.join(nest.paths.data, 'other'), {
    name: 'localhost/other:1',
    files: { a: 'b' },
  });
  await nest.ok('image', 'load', other);
  await nest.ok(
    'run',
    '--name',
    'writer',
    'localhost/other:1',
    'dd',
    'if=/dev/zero',
    'of=/big',
    'bs=1M',
    'count=64',
    'conv=fsync',
  );
  const full = await allocated();
  t.true(full - before > 60 * 1024 ** 2, `${full - before} bytes more`);
  t.is(await layers(), 2);

  await nest.ok('rm', 'writer');
  await until('the guest disk to shrink', async () => (await allocated()) < before + 16 * 1024 ** 2);
  await until('the layer to leave', async () => (await layers()) === 1);
  t.is(await nest.ok('exec', 'keeper', 'echo', 'well'), 'well');

  // What left comes back.
  t.is(await nest.ok('run', '--rm', 'localhost/other:1', 'cat', '/a'), 'b');
  t.regex(await nest.ok('system', 'df'), /Layer disks +2 +1 /);
  t.regex(await nest.ok('system', 'check'), /All is whole: 2 images/);
  await nest.ok('rm', '-f', 'keeper');
});
