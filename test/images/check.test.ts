import { chmod, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Image } from '../../src/images/images.ts';
import { silent } from '../../src/progress.ts';
import { sha256, writeImage, type TestLayer } from '../helpers/images.ts';
import { from, layerOf, openTestImages, type OpenedImages } from '../helpers/image-store.ts';

interface Loaded extends OpenedImages {
  image: Image;
  layer: TestLayer;
  blob: string;
  disk: string;
}

async function loaded(t: ExecutionContext): Promise<Loaded> {
  const opened = await openTestImages(t);
  const layer = await layerOf('content');
  const source = await writeImage(path.join(opened.folder, 'source'), [layer], { name: 'localhost/x:1' });
  const [image] = await opened.images.load(from(source), silent);
  const [disk] = await opened.images.layers(image ?? t.fail(), silent);
  const blob = path.join(opened.store, 'blobs', sha256(layer.tar).replace(':', '/'));
  return { ...opened, image: image ?? t.fail(), layer, blob, disk: disk?.path ?? '' };
}

const check = ({ images }: OpenedImages, repair = false) => images.check({ repair, progress: silent });

test('a store that is whole checks clean, also with work in progress', async (t) => {
  const opened = await loaded(t);
  await using assembly = await opened.images.assemble();
  await writeFile(path.join(assembly.stage, 'file'), 'under way');
  const { problems, ...counted } = await check(opened);
  t.deepEqual(problems, []);
  t.like(counted, { images: 1, blobs: 3, disks: 1 });
  t.true(counted.bytes > 4096);
});

test('a blob that has changed, or is gone, is found; repaired, its image can be loaded again', async (t) => {
  for (const damage of [
    async (file: string) => writeFile(file, (await readFile(file)).fill('z', 512, 513)),
    async (file: string) => rm(file),
    async (file: string) => truncate(file, 100),
  ]) {
    const opened = await loaded(t);
    await damage(opened.blob);
    t.regex((await check(opened)).problems[0]?.object ?? '', /^images\/blobs\/sha256\//);
    await check(opened, true);
    t.deepEqual((await check(opened)).problems, []);
    t.deepEqual(await opened.images.list(), []);
    await opened.images.load(from(path.join(opened.folder, 'source')), silent);
    t.like(await check(opened), { images: 1, problems: [] });
  }
});

test('a disk that has changed is found; repaired, it is made again', async (t) => {
  const opened = await loaded(t);
  const before = await readFile(opened.disk);
  for (const damage of [
    async () => writeFile(opened.disk, Buffer.from(before).fill('z', 200, 201)),
    async () => writeFile(opened.disk, before.subarray(0, 5000)),
    async () => writeFile(opened.disk, ''),
  ]) {
    await chmod(opened.disk, 0o644);
    await damage();
    t.regex((await check(opened)).problems[0]?.object ?? '', /^layers\//);
    await check(opened, true);
    await opened.images.layers(opened.image, silent);
    t.deepEqual((await check(opened)).problems, []);
    t.deepEqual(await readFile(opened.disk), before);
  }
});

test('another layer’s disk under this layer’s name is found', async (t) => {
  const opened = await loaded(t);
  const other = await writeImage(path.join(opened.folder, 'other'), [await layerOf('other')], {
    name: 'localhost/y:1',
  });
  const [image] = await opened.images.load(from(other), silent);
  const [disk] = await opened.images.layers(image ?? t.fail(), silent);
  await chmod(opened.disk, 0o644);
  await writeFile(opened.disk, await readFile(disk?.path ?? ''));
  t.regex((await check(opened)).problems[0]?.message ?? '', /it is the disk of sha256:/);
});

test('what is half made is found, and an index that lies', async (t) => {
  const opened = await loaded(t);
  await mkdir(path.join(opened.store, 'staging-dead'));
  await writeFile(path.join(opened.disks, 'x.squashfs.1.tmp'), '');
  t.is((await check(opened)).problems.length, 2);
  await check(opened, true);
  t.deepEqual((await check(opened)).problems, []);
  await writeFile(path.join(opened.store, 'index.json'), '{"schemaVersion":2,"manifests":[]}');
  t.regex((await check(opened)).problems[0]?.message ?? '', /engine has in mind/);
});
