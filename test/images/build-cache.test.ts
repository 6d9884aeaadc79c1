import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { openBuildCache } from '../../src/images/build-cache.ts';
import { silent } from '../../src/progress.ts';
import { openTestImages } from '../helpers/image-store.ts';
import { streamOf, tarOf, temporaryFolder } from '../helpers/images.ts';

const KEY = 'a'.repeat(64);
const tar = async (content: string) => streamOf(await tarOf([{ name: 'file', content }]));

test('a remembered step and its layer are there after a restart, without an image', async (t) => {
  const { images, reopen } = await openTestImages(t);
  {
    await using assembly = await images.assemble();
    await assembly.remember(KEY, { created: 'then', layer: await assembly.addLayer(await tar('a'), silent) });
  }
  await using assembly = await (await reopen()).assemble();
  const step = await assembly.cached(KEY);
  t.is(step?.created, 'then');
  let size = 0;
  if (step?.layer) for await (const chunk of assembly.openLayer(step.layer)) size += chunk.length;
  t.true(size > 0);
});

test('a layer that nobody remembers goes with its assembly', async (t) => {
  const { images, store, disks } = await openTestImages(t);
  {
    await using assembly = await images.assemble();
    await assembly.addLayer(await tar('a'), silent);
  }
  t.deepEqual(await readdir(path.join(store, 'blobs/sha256')), []);
  t.deepEqual(await readdir(disks), []);
});

test('a step whose layer is gone is not taken', async (t) => {
  const { images, store } = await openTestImages(t);
  await using assembly = await images.assemble();
  const layer = await assembly.addLayer(await tar('a'), silent);
  await assembly.remember(KEY, { created: 'then', layer });
  await writeFile(path.join(store, 'blobs', layer.digest.replace(':', '/')), 'cut');
  t.is(await assembly.cached(KEY), undefined);
});

test('prune forgets all steps and frees their layers, but for those of images', async (t) => {
  const { images, store, disks } = await openTestImages(t);
  {
    await using assembly = await images.assemble();
    const kept = await assembly.addLayer(await tar('kept'), silent);
    await assembly.addImage({ architecture: 'amd64', os: 'linux' }, [kept], []);
    await assembly.remember(KEY, { created: '', layer: kept });
    await assembly.remember('b'.repeat(64), { created: '', layer: await assembly.addLayer(await tar('gone'), silent) });
  }
  t.true((await images.pruneCache()) > 0);
  t.is((await readdir(path.join(store, 'blobs/sha256'))).length, 3, 'layer, configuration, manifest');
  t.is((await readdir(disks)).length, 1);
});

test('a cache that cannot be read is empty', async (t) => {
  const file = path.join(await temporaryFolder(t), 'cache.json');
  await writeFile(file, '{"x":');
  const cache = await openBuildCache(file);
  t.deepEqual(cache.layers(), []);
  await cache.put(KEY, { created: 'now', layer: null });
  t.deepEqual((await openBuildCache(file)).get(KEY), { created: 'now', layer: null });
  t.deepEqual(await readdir(path.dirname(file)), ['cache.json']);
  t.regex(await readFile(file, 'utf8'), /now/);
});
