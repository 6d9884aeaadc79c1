import test from 'ava';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packFile } from '../../../guest-agent/tar/pack.ts';
import { unpackFiles } from '../../../src/client/copy/unpack.ts';
import { streamOf, tarOf, type TarEntry } from '../../helpers/images.ts';

const temporary = async (t: { teardown(work: () => Promise<void>): void }) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-copy-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
};
const unpack = async (entries: TarEntry[], from: string, folder: string, name: string) =>
  unpackFiles(streamOf(await tarOf(entries)), from, { folder, name }, { owners: false });

test('what is packed here unpacks the same, under another name', async (t) => {
  const folder = await temporary(t);
  await mkdir(path.join(folder, 'a/empty'), { recursive: true });
  await writeFile(path.join(folder, 'a/läng'), 'x'.repeat(1000), { mode: 0o640 });
  await symlink('/nowhere', path.join(folder, 'a/link'));
  const archive = packFile(path.join(folder, 'a'), 'a', { followLink: false, owners: false });
  t.is(await unpackFiles(archive, 'a', { folder, name: 'b' }, { owners: false }), 1000);
  t.deepEqual((await readdir(path.join(folder, 'b'))).sort(), ['empty', 'link', 'läng']);
  t.is((await stat(path.join(folder, 'b/läng'))).mode & 0o777, 0o640);
  t.is(await readlink(path.join(folder, 'b/link')), '/nowhere');
});

test('the contents of a folder go into another, and replace its files', async (t) => {
  const folder = await temporary(t);
  await writeFile(path.join(folder, 'f'), 'old');
  const { mode } = await stat(folder);
  const archive = [
    { name: './', mode: 0o755 },
    { name: './f', content: 'new' },
    { name: './d/g', content: 'deep' },
  ];
  await unpack(archive, '.', folder, '.');
  t.is((await stat(folder)).mode, mode, 'the folder stays as it is');
  t.is(await readFile(path.join(folder, 'f'), 'utf8'), 'new');
  t.is(await readFile(path.join(folder, 'd/g'), 'utf8'), 'deep');
});

test('nothing goes through a link that an earlier copy has made, or out of the folder', async (t) => {
  const folder = await temporary(t);
  const outside = await temporary(t);
  const link = { name: 'd/out', type: 'symlink', linkname: outside } as const;
  await unpack([{ name: 'd/' }, link], 'd', folder, 'd');
  const hostile: TarEntry[][] = [
    [{ name: 'd/out/canary', content: 'x' }],
    [{ name: 'd/' }, { name: 'd/out/' }],
    [{ name: 'd/../../canary', content: 'x' }],
    [{ name: 'other', content: 'x' }],
    [{ name: 'd/hard', type: 'link', linkname: 'd/../../etc/passwd' }],
  ];
  for (const entries of hostile)
    await t.throwsAsync(unpack(entries, 'd', folder, 'd'), undefined, entries.at(-1)?.name);
  t.deepEqual(await readdir(outside), []);
  await unpack([{ name: 'd/out', content: 'file' }], 'd', folder, 'd');
  t.is(await readFile(path.join(folder, 'd/out'), 'utf8'), 'file', 'a link is replaced, not written through');
  t.deepEqual(await readdir(outside), []);
});
