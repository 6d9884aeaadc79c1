import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { LAYER_LIMITS } from '../../src/images/limits.ts';
import { mergeLayers } from '../../src/images/merge-layers.ts';
import { sha256, tarOf, temporaryFolder, type TarEntry } from '../helpers/images.ts';
import { contentOf, listing } from '../helpers/squashfs.ts';

async function merge(t: ExecutionContext, stack: TarEntry[][], limits = LAYER_LIMITS): Promise<string> {
  const folder = await temporaryFolder(t);
  const blobOf = (digest: string) => path.join(folder, digest.replace('sha256:', ''));
  const tars = await Promise.all(stack.map((entries) => tarOf(entries)));
  for (const tar of tars) await writeFile(blobOf(sha256(tar)), tar);
  const layers = tars.map((tar) => ({ diffId: sha256(tar), digest: sha256(tar), size: tar.length, mediaType: '' }));
  const disk = path.join(folder, 'disk');
  await mergeLayers(layers, blobOf, disk, { id: sha256(Buffer.from('all')), limits });
  return disk;
}

test('upper layers win: files, attributes, and what takes the place of what', async (t) => {
  const disk = await merge(t, [
    [{ name: 'etc/', mode: 0o700 }, { name: 'etc/a', content: 'old' }, { name: 'etc/b', content: 'b' }, { name: 'x' }],
    [{ name: 'etc/a', content: 'new', mode: 0o4755, uid: 7 }, { name: 'x/' }, { name: 'x/y', content: 'y' }],
    [
      { name: 'etc/', mode: 0o711, uid: 5 },
      { name: 'etc/b', type: 'symlink', linkname: 'a', mode: 0o777 },
    ],
  ]);
  t.deepEqual(
    [...listing(disk)].sort(),
    [
      ['etc', 'drwx--x--x 5/0'],
      ['etc/a', '-rwsr-xr-x 7/0 3'],
      ['etc/b', 'lrwxrwxrwx 0/0 1'],
      ['x', 'drwxr-xr-x 0/0'],
      ['x/y', '-rw-r--r-- 0/0 1'],
    ].sort(),
  );
  t.is(contentOf(disk, 'etc/a'), 'new');
});

test('what is deleted is gone, and leaves no whiteout: nothing is below', async (t) => {
  const disk = await merge(t, [
    [{ name: 'gone', content: 'x' }, { name: 'd/old/deep' }, { name: 'o/hidden' }, { name: '.wh.stray' }],
    [{ name: '.wh.gone' }, { name: '.wh.d' }, { name: 'o/.wh..wh..opq' }, { name: 'o/kept' }],
    [{ name: 'd/new' }, { name: 'n/.wh.nothing' }, { name: 'n/file' }],
  ]);
  t.deepEqual([...listing(disk).keys()].sort(), ['d', 'd/new', 'n', 'n/file', 'o', 'o/kept']);
});

test('names of one file stay one file, also when its first name goes', async (t) => {
  const disk = await merge(t, [
    [{ name: 'a', content: 'one' }, ...['b', 'c'].map((name) => ({ name, type: 'link' as const, linkname: 'a' }))],
    [{ name: '.wh.a' }],
  ]);
  t.deepEqual([...listing(disk).keys()].sort(), ['b', 'c']);
  t.is(contentOf(disk, 'b'), 'one');
});

test('limits hold for all layers together', async (t) => {
  const stack = ['a', 'b', 'c'].map((name) => [{ name: `${name}1` }, { name: `${name}2` }]);
  const refused = { code: 'image-invalid' };
  await t.throwsAsync(merge(t, stack, { ...LAYER_LIMITS, entries: 5 }), refused);
  await t.throwsAsync(merge(t, stack, { ...LAYER_LIMITS, entriesPerDirectory: 5 }), refused);
});
