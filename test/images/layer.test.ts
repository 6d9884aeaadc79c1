import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { convertLayer, proveLayer } from '../../src/images/layer.ts';
import type { ConvertOptions, LayerBlob } from '../../src/images/layer-blob.ts';
import { LAYER_LIMITS } from '../../src/images/limits.ts';
import { sha256, tarOf, temporaryFolder, type TarEntry } from '../helpers/images.ts';
import { contentOf, listing } from '../helpers/squashfs.ts';

interface Converted {
  folder: string;
  disk: string;
}

async function convert(t: ExecutionContext, tar: Buffer, blob = tar, options: ConvertOptions = {}): Promise<Converted> {
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'blob'), blob);
  const disk = path.join(folder, 'disks', 'layer.squashfs');
  await mkdir(path.dirname(disk));
  await convertLayer(describe(tar, blob), path.join(folder, 'blob'), disk, options);
  return { folder, disk };
}

function describe(tar: Buffer, blob: Buffer): LayerBlob {
  return { diffId: sha256(tar), digest: sha256(blob), size: blob.length, mediaType: '' };
}

const TREE: TarEntry[] = [
  { name: './', mode: 0o700 },
  { name: './etc/', mode: 0o711, uid: 5, gid: 6 },
  { name: './etc/motd', content: 'hello', mode: 0o4640, uid: 1000, gid: 100 },
  { name: 'etc/link', type: 'symlink', linkname: '../../../outside', mode: 0o777 },
  { name: 'etc/hard', type: 'link', linkname: './etc/motd' },
  { name: 'dev/null', type: 'character-device', devmajor: 1, devminor: 3, mode: 0o666 },
  { name: 'dev/sda', type: 'block-device', devmajor: 8, devminor: 0, mode: 0o660 },
  { name: 'run/pipe', type: 'fifo', mode: 0o600 },
  { name: 'far/owner', uid: 4_000_000_000, pax: { uid: '4000000000' }, content: '' },
];

const EXPECTED: [string, string][] = [
  ['dev', 'drwxr-xr-x 0/0'],
  ['dev/null', 'crw-rw-rw- 0/0 1,3'],
  ['dev/sda', 'brw-rw---- 0/0 8,0'],
  ['etc', 'drwx--x--x 5/6'],
  ['etc/hard', '-rwSr----- 1000/100 5'],
  ['etc/link', 'lrwxrwxrwx 0/0 16'],
  ['etc/motd', '-rwSr----- 1000/100 5'],
  ['far', 'drwxr-xr-x 0/0'],
  ['far/owner', '-rw-r--r-- 4000000000/0 0'],
  ['run', 'drwxr-xr-x 0/0'],
  ['run/pipe', 'prw------- 0/0 0'],
];

test('a layer keeps names, types, modes, owners, devices and links', async (t) => {
  const { disk } = await convert(t, await tarOf(TREE));
  t.deepEqual([...listing(disk)], EXPECTED);
  t.is(contentOf(disk, 'etc/hard'), 'hello');
  t.is((await stat(disk)).mode & 0o777, 0o444);
});

test('the same layer gives the same bytes, however it is compressed', async (t) => {
  const tar = await tarOf(TREE);
  const blobs = [tar, gzipSync(tar), zstdCompressSync(tar)];
  const disks = await Promise.all(
    blobs.map(async (blob) =>
      createHash('sha256')
        .update(await readFile((await convert(t, tar, blob)).disk))
        .digest('hex'),
    ),
  );
  t.is(new Set(disks).size, 1);
});

test('an empty layer is a disk too', async (t) => {
  const { disk } = await convert(t, await tarOf([]));
  t.is(listing(disk).size, 0);
});

test('a whiteout becomes the device by which overlayfs knows it', async (t) => {
  const { disk } = await convert(t, await tarOf([{ name: 'etc/' }, { name: 'etc/.wh.passwd' }]));
  t.deepEqual(
    [...listing(disk)],
    [
      ['etc', 'drwxr-xr-x 0/0'],
      ['etc/passwd', 'c--------- 0/0 0,0'],
    ],
  );
});

test('of entries with one name the last stays, and hard links keep what they linked', async (t) => {
  const { disk } = await convert(
    t,
    await tarOf([
      { name: 'a', content: 'first' },
      { name: 'b', type: 'link', linkname: 'a' },
      { name: 'a', content: 'second' },
      { name: 'link', type: 'symlink', linkname: '/etc' },
      { name: 'link', content: 'a file replaces a link' },
      { name: 'dir/gone', content: 'x' },
      { name: 'dir', content: 'a file replaces a folder' },
    ]),
  );
  t.deepEqual([...listing(disk).keys()], ['a', 'b', 'dir', 'link']);
  t.is(contentOf(disk, 'a'), 'second');
  t.is(contentOf(disk, 'b'), 'first');
  t.is(contentOf(disk, 'link'), 'a file replaces a link');
});

const hostile = test.macro<[string, TarEntry[], RegExp]>({
  async exec(t, _, entries, message) {
    const tar = await tarOf(entries);
    const folder = await temporaryFolder(t);
    await writeFile(path.join(folder, 'blob'), tar);
    const disks = path.join(folder, 'disks');
    await mkdir(disks);
    await t.throwsAsync(
      convertLayer(describe(tar, tar), path.join(folder, 'blob'), path.join(disks, 'disk'), {
        limits: { ...LAYER_LIMITS, entries: 20, entriesPerDirectory: 10, depth: 8, size: 100_000, xattrs: 1000 },
      }),
      { code: 'image-invalid', message },
    );
    t.deepEqual(await readdir(disks), []);
  },
  title: (_, what) => `${what} is refused and leaves nothing behind`,
});

const link = (name: string, linkname: string): TarEntry => ({ name, type: 'link', linkname });
const symlink = (name: string, linkname: string): TarEntry => ({ name, type: 'symlink', linkname });
const many = (count: number, name: (i: number) => string): TarEntry[] =>
  Array.from({ length: count }, (_, i) => ({ name: name(i) }));

test(hostile, 'an absolute name', [{ name: '/etc/passwd' }], /absolute/);
test(hostile, 'a name with ..', [{ name: 'a/../../b' }], /\.\./);
test(hostile, 'a name that is ..', [{ name: '..' }], /\.\./);
test(hostile, 'an absolute name in a PAX record', [{ name: 'x', pax: { path: '/etc/passwd' } }], /absolute/);
test(hostile, 'a name with .. in a PAX record', [{ name: 'x', pax: { path: '../x' } }], /\.\./);
test(hostile, 'a zero byte in a PAX record', [{ name: 'x', pax: { path: 'a\0b' } }], /zero byte/);
test(hostile, 'a root that is a link', [symlink('./', '/')], /root/);
test(hostile, 'a file below a link', [symlink('a', '/etc'), { name: 'a/passwd' }], /no directory/);
test(hostile, 'a link below a link', [symlink('a', '/'), symlink('a/b', 'c')], /no directory/);
test(hostile, 'a folder below a link', [symlink('a', '..'), { name: 'a/b/' }], /no directory/);
test(hostile, 'a whiteout below a link', [symlink('a', '/etc'), { name: 'a/.wh.passwd' }], /no directory/);
test(hostile, 'an opaque mark below a link', [symlink('a', '/etc'), { name: 'a/.wh..wh..opq' }], /no directory/);
test(hostile, 'a file below a file', [{ name: 'a' }, { name: 'a/b' }], /no directory/);
test(hostile, 'a whiteout of ..', [{ name: 'a/.wh...' }], /whiteout/);
test(hostile, 'a whiteout of nothing', [{ name: 'a/.wh.' }], /whiteout/);
test(hostile, 'a file below a whiteout', [{ name: '.wh.a/b' }], /below a whiteout/);
test(hostile, 'an opaque root', [{ name: '.wh..wh..opq' }], /opaque root/);
test(hostile, 'a hard link to nothing', [link('a', 'b')], /no such file/);
test(hostile, 'a hard link to itself', [link('a', 'a')], /no such file/);
test(hostile, 'a hard link to a later file', [link('a', 'b'), { name: 'b' }], /no such file/);
test(hostile, 'a hard link to a folder', [{ name: 'b/' }, link('a', 'b')], /no such file/);
test(hostile, 'a hard link out of the layer', [link('a', '../../etc/shadow')], /\.\./);
test(hostile, 'a hard link to an absolute name', [link('a', '/etc/shadow')], /absolute/);
test(hostile, 'a hard link through a link', [symlink('d', '/etc'), link('a', 'd/shadow')], /no such file/);
test(
  hostile,
  'too many entries',
  many(21, (i) => `${i % 3}/${i}`),
  /more than 20 entries/,
);
test(
  hostile,
  'too many implied folders',
  many(4, (i) => `${i}/a/b/c/d/e`),
  /more than 20 entries/,
);
test(hostile, 'too many entries in a folder', many(11, String), /more than 10 entries beside/);
test(hostile, 'a deep path', [{ name: 'a/'.repeat(9) }], /deeper than 8/);
test(hostile, 'a long name', [{ name: 'n'.repeat(256) }], /longer than 255/);
test(hostile, 'a long path', [{ name: `${'abc/'.repeat(1100)}x` }], /longer than 4096/);
test(
  hostile,
  'a link without a target',
  [{ name: 'a', type: 'symlink', linkname: 'x', pax: { linkpath: 'a\0b' } }],
  /zero/,
);
test(hostile, 'more bytes than allowed', [{ name: 'a', content: Buffer.alloc(100_000) }], /expands to more/);
test(hostile, 'a large attribute', [{ name: 'a', pax: { 'SCHILY.xattr.user.a': 'x'.repeat(70_000) } }], /attribute/);
test(hostile, 'an owner beyond 32 bits', [{ name: 'a', pax: { uid: '4294967295' } }], /owner/);
test(
  hostile,
  'a device that squashfs cannot hold',
  [{ name: 'a', type: 'block-device', devmajor: 8, devminor: 256 }],
  /device/,
);

test('a small blob that expands without end is stopped early', async (t) => {
  const tar = await tarOf([{ name: 'zeros', content: Buffer.alloc(70 * 1024 ** 2) }]);
  const limits = { ...LAYER_LIMITS, ratio: 10 };
  await t.throwsAsync(convert(t, tar, zstdCompressSync(tar), { limits }), { message: /expands to more than 64 MiB/ });
});

test('a blob with another diff ID is refused', async (t) => {
  const folder = await temporaryFolder(t);
  const tar = await tarOf([{ name: 'a' }]);
  const blob = path.join(folder, 'blob');
  await writeFile(blob, tar);
  const layer = { ...describe(tar, tar), diffId: sha256(Buffer.from('other')) };
  await t.throwsAsync(convertLayer(layer, blob, path.join(folder, 'disk')), { code: 'image-invalid' });
  await t.throwsAsync(proveLayer(layer, blob), { code: 'image-invalid' });
  t.deepEqual(await readdir(folder), ['blob']);
});

test('a truncated blob is refused', async (t) => {
  const tar = await tarOf([{ name: 'a', content: 'x'.repeat(5000) }]);
  for (const blob of [gzipSync(tar), zstdCompressSync(tar), tar])
    await t.throwsAsync(convert(t, tar, blob.subarray(0, blob.length / 2)), { code: 'image-invalid' });
});

test('a cancelled conversion ends and leaves nothing', async (t) => {
  const tar = await tarOf([{ name: 'a', content: Buffer.alloc(40 * 1024 ** 2) }]);
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'blob'), tar);
  const stop = new AbortController();
  const done = convertLayer(describe(tar, tar), path.join(folder, 'blob'), path.join(folder, 'disk'), {
    signal: stop.signal,
    detail: (text) => {
      if (text.startsWith('packed')) stop.abort();
    },
  });
  await t.throwsAsync(done, { name: 'AbortError' });
  t.deepEqual(await readdir(folder), ['blob']);
});
