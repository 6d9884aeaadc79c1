import { readdir, stat, rm } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { NestError } from '../../src/errors.ts';
import { findGuestImage } from '../../src/guest-image/guest-image.ts';
import { currentImage, makeCurrent, PARTS, storedImages, storeImage } from '../../src/guest-image/image-store.ts';
import { nestPaths } from '../../src/paths.ts';
import { folderOf } from './folder.ts';

const parts = { [PARTS.kernel]: 'kernel', [PARTS.initrd]: 'initrd', [PARTS.root]: 'root' };
const record = (digit: string) => ({
  digest: digit.repeat(64),
  recipe: 'debian-12',
  kernel: '6.1.0',
  inputs: { project: 'p', kernelPackage: 'k', packages: [] },
});

test('a stored image is listed with its size, and its files are read-only', async (t) => {
  const paths = nestPaths({ NEST_DATA_DIR: await folderOf(t) });
  await storeImage(paths, await folderOf(t, parts), record('a'));
  const [image] = await storedImages(paths);
  t.is(image?.digest, 'a'.repeat(64));
  t.is(image?.size, 'kernelinitrdroot'.length);
  for (const file of await readdir(image?.folder ?? ''))
    t.is((await stat(path.join(image?.folder ?? '', file))).mode & 0o777, 0o444);
});

test('storing the same image again replaces it', async (t) => {
  const paths = nestPaths({ NEST_DATA_DIR: await folderOf(t) });
  await storeImage(paths, await folderOf(t, parts), record('a'));
  await storeImage(paths, await folderOf(t, parts), record('a'));
  t.is((await storedImages(paths)).length, 1);
});

test('an image that lacks a part is none', async (t) => {
  const paths = nestPaths({ NEST_DATA_DIR: await folderOf(t) });
  await storeImage(paths, await folderOf(t, parts), record('a'));
  await rm(path.join(paths.guestImages, 'a'.repeat(64), PARTS.root));
  t.deepEqual(await storedImages(paths), []);
});

test('the image of the last build is the current one, newer or not', async (t) => {
  const paths = nestPaths({ NEST_DATA_DIR: await folderOf(t) });
  for (const digit of ['a', 'b']) await storeImage(paths, await folderOf(t, parts), record(digit));
  await makeCurrent(paths, record('b'));
  await makeCurrent(paths, record('a'));
  t.is((await currentImage(paths, 'debian-12'))?.digest, 'a'.repeat(64));
});

test('without an image the error names the command that builds it', async (t) => {
  const paths = nestPaths({ NEST_DATA_DIR: await folderOf(t) });
  const error = await t.throwsAsync(findGuestImage(paths, 'debian-12'), { instanceOf: NestError });
  t.is(error.code, 'guest-image-missing');
  t.regex(error.hint ?? '', /nest guest-image build/);
});
