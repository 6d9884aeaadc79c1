import path from 'node:path';
import test from 'ava';
import { silent } from '../../src/progress.ts';
import { writeImage } from '../helpers/images.ts';
import { assertEmpty, from, layerOf, openTestImages, type OpenedImages } from '../helpers/image-store.ts';

const nobody = { force: false, users: () => [] };

async function load({ folder, images }: OpenedImages, ...names: string[]): Promise<void> {
  for (const name of names)
    await images.load(from(await writeImage(path.join(folder, name), [await layerOf(name)], { name })), silent);
}

async function names({ images }: OpenedImages): Promise<string[][]> {
  return (await images.list()).map(({ references }) => references);
}

test('a tag is one more name, and takes it from whoever had it', async (t) => {
  const opened = await openTestImages(t);
  await load(opened, 'a:1', 'b:1');
  await opened.images.tag('a:1', 'localhost/other:2');
  await opened.images.tag('a:1', 'b:1');
  await opened.images.tag('a:1', 'a:1');
  t.deepEqual(await names(opened), [['localhost/other:2', 'docker.io/library/b:1', 'docker.io/library/a:1'], []]);
  await t.throwsAsync(opened.images.tag('nothing', 'x'), { code: 'image-not-found' });
  await t.throwsAsync(opened.images.tag('a:1', `x@sha256:${'a'.repeat(64)}`), { code: 'invalid-input' });
  await t.throwsAsync(opened.images.tag('a:1', 'Not a name'), { code: 'invalid-input' });
});

test('an image goes with its last name, and its blobs and disks with it', async (t) => {
  const opened = await openTestImages(t);
  await load(opened, 'a:1');
  await opened.images.tag('a:1', 'a:2');
  const id = (await opened.images.find('a:1'))?.id ?? '';
  t.deepEqual(await opened.images.remove('a:1', nobody), { untagged: ['docker.io/library/a:1'], deleted: [] });
  t.deepEqual(await opened.images.remove('a:2', nobody), { untagged: ['docker.io/library/a:2'], deleted: [id] });
  await assertEmpty(t, opened);
  await t.throwsAsync(opened.images.remove('a:2', nobody), { code: 'image-not-found' });
});

test('an id takes all names of one repository, those of several only by force', async (t) => {
  const opened = await openTestImages(t);
  await load(opened, 'a:1', 'b:1');
  await opened.images.tag('a:1', 'a:2');
  await opened.images.tag('b:1', 'c:1');
  const [a, b] = (await opened.images.list()).map(({ id }) => id);
  t.is((await opened.images.remove(a ?? '', nobody)).untagged.length, 2);
  await t.throwsAsync(opened.images.remove(b ?? '', nobody), { code: 'conflict', message: /several repositories/ });
  t.deepEqual((await opened.images.remove(b ?? '', { ...nobody, force: true })).deleted, [b]);
  await assertEmpty(t, opened);
});

test('the image of a container stays: a stopped one gives way to force, a running one never', async (t) => {
  const opened = await openTestImages(t);
  await load(opened, 'a:1');
  const usedBy = (running: boolean) => () => [{ name: 'web', running }];
  const { images } = opened;
  await t.throwsAsync(images.remove('a:1', { force: false, users: usedBy(false) }), {
    code: 'conflict',
    message: /container `web`/,
  });
  const id = (await images.find('a:1'))?.id ?? '';
  t.deepEqual((await images.remove('a:1', { force: true, users: usedBy(true) })).deleted, []);
  t.deepEqual(await names(opened), [[]]);
  await t.throwsAsync(images.remove(id, { force: true, users: usedBy(true) }), { code: 'conflict' });
  t.deepEqual((await images.remove(id, { force: true, users: usedBy(false) })).deleted, [id]);
});

test('pruning takes what is unwanted and tells what that freed; what another image has stays', async (t) => {
  const opened = await openTestImages(t);
  const { folder, images } = opened;
  const [shared, more] = [await layerOf('shared'), await layerOf('more')];
  await images.load(from(await writeImage(path.join(folder, 'a'), [shared], { name: 'a:1' })), silent);
  await images.load(from(await writeImage(path.join(folder, 'b'), [shared, more], { name: 'b:1' })), silent);
  t.deepEqual(await images.prune(() => false), { removed: [], freed: 0 });
  const { removed, freed } = await images.prune((_, references) => references.includes('docker.io/library/b:1'));
  t.deepEqual(
    removed.map(({ references }) => references),
    [['docker.io/library/b:1']],
  );
  t.true(freed > more.tar.length);
  t.is((await images.layers((await images.find('a:1')) ?? t.fail(), silent)).length, 1);
});
