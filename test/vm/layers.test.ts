import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import Docker from 'dockerode';
import { guestPaths } from '../../src/paths.ts';
import { busyboxImage } from '../helpers/images.ts';
import { openFiles, qemusWith } from '../helpers/libvirt.ts';
import { openNest, type Nest } from '../helpers/nest.ts';

let nest: Nest;
/** 50 of them fit one guest. */
const CONTAINERS = Number(process.env['NEST_TEST_CONTAINERS'] ?? 6);
const SMALL = { Memory: 8 * 1024 ** 2 };

test.before(async () => {
  nest = await openNest();
});
test.after.always(() => nest.close());

test.serial('containers of one image open its disk once, and take nothing more of the host', async (t) => {
  await nest.ok('image', 'load', await busyboxImage(path.join(nest.paths.data, 'busybox')));
  await nest.ok('run', '-d', '-m', '8m', '--name', 'c-1', 'localhost/busybox:latest', 'sleep', '100000');
  const [guest] = (await nest.json('vm', 'list')) as { id: string; name: string }[];
  const measured = async () => ({
    opened: await openFiles((await qemusWith(guestPaths(nest.paths, guest?.id ?? '').disk))[0] ?? 0, nest.paths.layers),
    bytes: await bytesIn(nest.paths.layers),
    mounted: ((await nest.json('vm', 'show', guest?.name ?? '')) as { layers: string[] }).layers,
  });
  const one = await measured();
  t.is(one.opened.length, 1);
  const docker = new Docker({ socketPath: nest.paths.engineSocket, host: '', protocol: 'http' });
  for (let number = 2; number <= CONTAINERS; number++) {
    const options = {
      name: `c-${number}`,
      Image: 'localhost/busybox:latest',
      Cmd: ['sleep', '100000'],
      HostConfig: SMALL,
    };
    await (await docker.createContainer(options)).start();
  }
  t.is(((await nest.json('ps')) as unknown[]).length, CONTAINERS);
  t.is(((await nest.json('vm', 'list')) as unknown[]).length, 1);
  t.deepEqual(await measured(), one);
  await nest.ok('rm', '-f', ...Array.from({ length: CONTAINERS }, (_, i) => `c-${i + 1}`));
});

test.serial('an image of 300 layers runs, the lowest of them merged into one disk', async (t) => {
  // Each layer adds a file and takes away the one that was added five layers before.
  const layers = Array.from({ length: 299 }, (_, i) => [
    { name: `many/${i}`, content: `layer ${i}` },
    ...(i < 5 ? [] : [{ name: `many/.wh.${i - 5}` }]),
  ]);
  const image = await busyboxImage(path.join(nest.paths.data, 'many'), { name: 'localhost/many:1', layers });
  await nest.ok('image', 'load', image);
  const out = await nest.ok('run', '--rm', 'localhost/many:1', 'sh', '-c', 'cd /many && ls && cat *');
  const left = Array.from({ length: 5 }, (_, i) => 294 + i);
  t.is(out, `${left.join('\n')}\n${left.map((i) => `layer ${i}`).join('')}`);
  t.is((await readdir(nest.paths.layers)).length, 1 + 1 + 44, 'busybox of the other image, the merged one, the rest');
  t.regex(await nest.ok('system', 'check'), /All is whole: 2 images/);
  await nest.ok('image', 'rm', 'localhost/many:1');
  t.is((await readdir(nest.paths.layers)).length, 1);
});

async function bytesIn(folder: string): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(folder)).map(async (name) => (await stat(path.join(folder, name))).blocks * 512),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
