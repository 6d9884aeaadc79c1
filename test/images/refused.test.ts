import { execFileSync } from 'node:child_process';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { silent } from '../../src/progress.ts';
import { sha256, tarOf, writeImage } from '../helpers/images.ts';
import { assertEmpty, editIndex, from, layerOf, openTestImages, tree } from '../helpers/image-store.ts';

const refused = test.macro<[string, (source: string) => Promise<void>, { code: string; message?: RegExp }]>({
  async exec(t, _, damage, expected) {
    const opened = await openTestImages(t);
    const source = await writeImage(path.join(opened.folder, 'source'), [await layerOf('a'), await layerOf('b')]);
    await damage(source);
    await t.throwsAsync(opened.images.load(from(source), silent), expected);
    await assertEmpty(t, opened);
  },
  title: (_, what) => `${what}: refused, and nothing is left behind`,
});

/** The largest blob is a layer. */
async function layerBlob(source: string): Promise<string> {
  const tar = (await layerOf('b')).tar;
  return path.join(source, 'blobs', sha256(tar).replace(':', '/'));
}

test(
  refused,
  'a blob with other content',
  async (source) => {
    const blob = await layerBlob(source);
    await writeFile(blob, (await readFile(blob)).fill('z', 512, 513));
  },
  { code: 'image-invalid', message: /digest/ },
);
test(refused, 'a truncated blob', async (source) => truncate(await layerBlob(source), 700), {
  code: 'image-invalid',
  message: /700 bytes/,
});
test(refused, 'a missing blob', async (source) => rm(await layerBlob(source)), {
  code: 'image-invalid',
  message: /missing/,
});
test(
  refused,
  'a fifo in place of a blob',
  async (source) => {
    const blob = await layerBlob(source);
    await rm(blob);
    execFileSync('mkfifo', [blob]);
  },
  { code: 'image-invalid' },
);
test(
  refused,
  'a manifest with other content',
  (source) =>
    editIndex(source, ({ manifests: [entry] }) => {
      if (entry) entry.digest = `sha256:${'0'.repeat(64)}`;
    }),
  { code: 'image-invalid', message: /missing/ },
);
test(
  refused,
  'a digest that is a path',
  (source) =>
    editIndex(source, ({ manifests: [entry] }) => {
      if (entry) entry.digest = 'sha256:../../../../etc/passwd';
    }),
  { code: 'image-invalid', message: /manifests.0.digest/ },
);
test(refused, 'an index without images', (source) => editIndex(source, ({ manifests }) => void manifests.splice(0)), {
  code: 'image-invalid',
  message: /no image/,
});
test(refused, 'an index that is no JSON', (source) => writeFile(path.join(source, 'index.json'), 'hello'), {
  code: 'image-invalid',
  message: /not JSON/,
});
test(refused, 'a huge index', (source) => truncate(path.join(source, 'index.json'), 10 * 1024 ** 2), {
  code: 'image-invalid',
  message: /larger/,
});
test(
  refused,
  'an artifact that is no image',
  (source) =>
    editIndex(source, ({ manifests: [entry] }) => {
      if (entry) entry.mediaType = 'application/vnd.example.signature';
    }),
  { code: 'unsupported', message: /vnd.example/ },
);
test(
  refused,
  'an image for another platform',
  (source) =>
    editIndex(source, ({ manifests: [entry] }) => {
      if (entry) entry.platform = { os: 'linux', architecture: 'arm64' };
    }),
  { code: 'unsupported', message: /linux\/arm64/ },
);
test(refused, 'a folder that is no layout', (source) => rm(path.join(source, 'oci-layout')), { code: 'image-invalid' });
test(refused, 'a path that is not there', (source) => rm(source, { recursive: true }), { code: 'not-found' });
test(
  refused,
  'a file that is no archive',
  async (source) => {
    await rm(source, { recursive: true });
    await writeFile(source, 'hello '.repeat(1000));
  },
  { code: 'image-invalid' },
);
test(
  refused,
  'an archive of something else',
  async (source) => {
    await rm(source, { recursive: true });
    await writeFile(source, await tarOf([{ name: 'readme', content: 'hello' }]));
  },
  { code: 'image-invalid', message: /manifest.json/ },
);

test('an image whose configuration is for another platform is refused', async (t) => {
  const opened = await openTestImages(t);
  const source = await writeImage(path.join(opened.folder, 'source'), [await layerOf('a')], {
    architecture: 'riscv64',
  });
  await t.throwsAsync(opened.images.load(from(source), silent), { code: 'unsupported', message: /linux\/riscv64/ });
  await assertEmpty(t, opened);
});

test('a hostile layer spoils the whole load, and what others loaded stays', async (t) => {
  const { folder, images, store, disks } = await openTestImages(t);
  await images.load(from(await writeImage(path.join(folder, 'good'), [await layerOf('a')], { name: 'good' })), silent);
  const before = await tree(store, disks);
  const bad = { tar: await tarOf([{ name: '../../etc/cron.d/x', content: 'x' }]) };
  const source = await writeImage(path.join(folder, 'bad'), [await layerOf('b'), bad], { name: 'good' });
  const error = await t.throwsAsync(images.load(from(source), silent), {
    code: 'image-invalid',
    message: /leaves the layer/,
  });
  t.false(error.message.includes('\n'));
  t.deepEqual(await tree(store, disks), before);
  t.is((await images.list()).length, 1);
});

test("an image cannot take another image's layer by naming its diff ID", async (t) => {
  const { folder, images } = await openTestImages(t);
  const secret = await layerOf('secret');
  await images.load(from(await writeImage(path.join(folder, 'theirs'), [secret], { name: 'theirs' })), silent);
  const lying = { ...(await layerOf('nothing')), diffId: sha256(secret.tar) };
  const source = await writeImage(path.join(folder, 'mine'), [lying], { name: 'mine' });
  await t.throwsAsync(images.load(from(source), silent), { code: 'image-invalid', message: /its content is sha256/ });
  t.is(await images.find('mine'), undefined);
});

test('one load with a damaged layer does not spoil another with the same layer whole', async (t) => {
  const { folder, images } = await openTestImages(t);
  const layer = await layerOf('a');
  const good = await writeImage(path.join(folder, 'good'), [{ ...layer, compression: 'gzip' }], { name: 'good' });
  const lying = { ...(await layerOf('b')), diffId: sha256(layer.tar) };
  const bad = await writeImage(path.join(folder, 'bad'), [lying], { name: 'bad' });
  const [first, second] = await Promise.allSettled([images.load(from(bad), silent), images.load(from(good), silent)]);
  t.is(first.status, 'rejected');
  t.is(second.status, 'fulfilled');
});
