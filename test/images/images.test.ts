import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { progressTo, silent, type ProgressEvent } from '../../src/progress.ts';
import { busyboxImage, sha256, writeImage } from '../helpers/images.ts';
import { from, layerOf, openTestImages, tree } from '../helpers/image-store.ts';

test('an image is found by every name that Docker takes', async (t) => {
  const { folder, images } = await openTestImages(t);
  const source = await writeImage(path.join(folder, 'source'), [await layerOf('x')], {
    name: 'docker.io/library/hello:1',
  });
  const [image] = await images.load(from(source), silent);
  const id = image?.id ?? '';
  const index = JSON.parse(await readFile(path.join(source, 'index.json'), 'utf8')) as {
    manifests: { digest: string }[];
  };
  const digest = index.manifests[0]?.digest ?? '';
  const hex = id.slice('sha256:'.length);
  for (const name of ['hello:1', 'library/hello:1', 'docker.io/hello:1', `hello@${digest}`, `hello:2@${digest}`])
    t.is((await images.find(name))?.id, id, name);
  for (const name of [id, hex, hex.slice(0, 12), `sha256:${hex.slice(0, 12)}`])
    t.is((await images.find(name))?.id, id, name);
  for (const name of ['hello', 'hello:2', `other@${digest}`, `hello@${id}`, 'ffffffffffff', 'Not a name', ''])
    t.is(await images.find(name), undefined, name);
});

test('a name moves to the image that was loaded last, and both stay', async (t) => {
  const { folder, images, reopen } = await openTestImages(t);
  for (const text of ['one', 'two'])
    await images.load(from(await writeImage(path.join(folder, text), [await layerOf(text)], { name: 'x:1' })), silent);
  for (const store of [images, await reopen()]) {
    const list = await store.list();
    t.deepEqual(
      list.map(({ references }) => references),
      [[], ['docker.io/library/x:1']],
    );
    t.is((await store.find('x:1'))?.id, list[1]?.id);
  }
});

test('images share layers: the second one makes only what it adds', async (t) => {
  const { folder, images, disks } = await openTestImages(t);
  await images.load(from(await busyboxImage(path.join(folder, 'a'), { name: 'a' })), silent);
  const steps: string[] = [];
  const progress = progressTo((event) => {
    if (event.type === 'step' && event.state === 'done' && event.title.startsWith('Layer')) steps.push(event.title);
  });
  await images.load(from(await busyboxImage(path.join(folder, 'b'), { name: 'b', files: { new: 'x' } })), progress);
  t.is(steps.length, 1);
  t.is((await readdir(disks)).length, 2);
});

test('loads of the same image at the same time share the work', async (t) => {
  const { folder, images, disks, store } = await openTestImages(t);
  const source = await busyboxImage(path.join(folder, 'source'), { name: 'x', files: { a: 'b' } });
  const events: ProgressEvent[] = [];
  const progress = progressTo((event) => events.push(event));
  const results = await Promise.all([1, 2, 3, 4].map(() => images.load(from(source), progress)));
  t.is(new Set(results.map(([image]) => image?.id)).size, 1);
  t.is((await images.list()).length, 1);
  const made = events.filter(
    (event) => event.type === 'step' && event.state === 'done' && event.title.startsWith('Layer'),
  );
  t.is(made.length, 2);
  t.is((await readdir(disks)).length, 2);
  t.deepEqual((await readdir(store)).sort(), ['blobs', 'index.json', 'oci-layout']);
});

test('a layer that an image has twice is one disk, in its upper place', async (t) => {
  const { folder, images } = await openTestImages(t);
  const [a, b] = [await layerOf('a'), await layerOf('b')];
  const [image] = await images.load(from(await writeImage(path.join(folder, 'source'), [a, b, a])), silent);
  t.is(image?.layers.length, 3);
  const disks = image ? await images.layers(image, silent) : [];
  t.deepEqual(
    disks.map(({ diffId }) => diffId),
    [sha256(b.tar), sha256(a.tar)],
  );
});

test('a disk that is gone is made again', async (t) => {
  const { folder, images } = await openTestImages(t);
  const [image] = await images.load(from(await writeImage(path.join(folder, 'source'), [await layerOf('a')])), silent);
  if (!image) return t.fail();
  const [disk] = await images.layers(image, silent);
  const before = await readFile(disk?.path ?? '');
  await rm(disk?.path ?? '');
  t.deepEqual(await images.layers(image, silent), disk && [disk]);
  t.deepEqual(await readFile(disk?.path ?? ''), before);
});

test('what a killed engine left is removed, what it finished stays', async (t) => {
  const { folder, images, store, disks, reopen } = await openTestImages(t);
  const [image] = await images.load(from(await writeImage(path.join(folder, 'source'), [await layerOf('a')])), silent);
  const before = await tree(store, disks);
  await mkdir(path.join(store, 'staging-dead/store/blobs'), { recursive: true });
  await writeFile(path.join(store, 'index.json.tmp'), '{"schemaVersion": 2, "mani');
  const orphan = path.join(store, 'blobs/sha256', 'f'.repeat(64));
  await writeFile(orphan, 'of a pull that failed two days ago');
  await utimes(orphan, 0, Date.now() / 1000 - 2 * 86_400);
  await writeFile(path.join(disks, `${'e'.repeat(64)}.squashfs`), 'the disk of a load that never finished');
  await writeFile(path.join(disks, `${'d'.repeat(64)}.squashfs.123.tmp`), 'half a disk');
  const next = await reopen();
  t.deepEqual(await tree(store, disks), before);
  t.deepEqual(await next.list(), image && [image]);
});

test('an image of the store that was damaged is left out, and loading it again mends it', async (t) => {
  const { folder, images, store, reopen } = await openTestImages(t);
  const source = await writeImage(path.join(folder, 'source'), [await layerOf('a')], { name: 'x' });
  const [image] = await images.load(from(source), silent);
  await writeFile(path.join(store, 'blobs', (image?.id ?? '').replace(':', '/')), '');
  const next = await reopen();
  t.deepEqual(await next.list(), []);
  t.deepEqual(await next.load(from(source), silent), image && [image]);
});
