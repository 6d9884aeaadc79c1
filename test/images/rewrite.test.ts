import test from 'ava';
import { inspectLayer } from '../../src/images/inspect-layer.ts';
import { LAYER_LIMITS } from '../../src/images/limits.ts';
import { rewriteLayer } from '../../src/images/rewrite.ts';
import type { TarEntry as Read } from '../../guest-agent/tar/entry.ts';
import { readTar } from '../../guest-agent/tar/reader.ts';
import { streamOf, tarOf, type TarEntry } from '../helpers/images.ts';

async function rewritten(entries: TarEntry[]): Promise<Map<string, Read>> {
  const tar = await tarOf(entries);
  const { plan } = await inspectLayer(streamOf(tar), LAYER_LIMITS);
  const result = new Map<string, Read>();
  for await (const { entry } of readTar(rewriteLayer(readTar(streamOf(tar)), plan))) result.set(entry.name, entry);
  return result;
}

function xattrs(entry: Read | undefined): Record<string, string> {
  return Object.fromEntries([...(entry?.xattrs ?? [])].map(([key, value]) => [key, value.toString('latin1')]));
}

const OPAQUE = { 'trusted.overlay.opaque': 'y' };
const xattr = (key: string, value: string) => ({ [`SCHILY.xattr.${key}`]: value });

test('an opaque mark reaches its directory before it, after it, and where the archive only implies it', async (t) => {
  const entries = await rewritten([
    { name: 'before/.wh..wh..opq' },
    { name: 'before/', mode: 0o700 },
    { name: 'after/', mode: 0o700 },
    { name: 'after/.wh..wh..opq' },
    { name: 'implied/deep/.wh..wh..opq' },
    { name: 'plain/' },
  ]);
  t.deepEqual(xattrs(entries.get('before')), OPAQUE);
  t.deepEqual(xattrs(entries.get('after')), OPAQUE);
  t.deepEqual(xattrs(entries.get('implied/deep')), OPAQUE);
  t.deepEqual(xattrs(entries.get('implied')), {});
  t.deepEqual(xattrs(entries.get('plain')), {});
  t.is(entries.get('after')?.mode, 0o700);
  t.false([...entries.keys()].some((name) => name.includes('.wh.')));
});

test('a whiteout beside a name of the same layer hides only what is below', async (t) => {
  const entries = await rewritten([
    { name: '.wh.file' },
    { name: 'file', content: 'new' },
    { name: 'dir/' },
    { name: 'dir/new' },
    { name: '.wh.dir' },
    { name: '.wh.gone' },
  ]);
  t.is(entries.get('file')?.type, 'file');
  t.deepEqual(xattrs(entries.get('dir')), OPAQUE);
  t.true(entries.has('dir/new'));
  t.like(entries.get('gone'), { type: 'character-device', deviceMajor: 0, deviceMinor: 0 });
});

test("overlayfs's own attributes never come from an image, others stay", async (t) => {
  const kept = { ...xattr('user.name', 'value'), ...xattr('security.selinux', 'label'), ...xattr('trusted.x', 'y') };
  const entries = await rewritten([
    {
      name: 'a',
      pax: {
        ...kept,
        ...xattr('trusted.overlay.redirect', '/etc/shadow'),
        ...xattr('trusted.overlay.metacopy', ''),
        ...xattr('user.overlay.opaque', 'y'),
        ...xattr('system.posix_acl_access', 'acl'),
      },
    },
    { name: 'dir/', pax: xattr('trusted.overlay.opaque', 'y') },
  ]);
  t.deepEqual(xattrs(entries.get('a')), { 'user.name': 'value', 'security.selinux': 'label', 'trusted.x': 'y' });
  t.deepEqual(xattrs(entries.get('dir')), {});
});

test('bookkeeping of AUFS is left out', async (t) => {
  const entries = await rewritten([{ name: '.wh..wh.plnk/' }, { name: '.wh..wh.plnk/1.2' }, { name: '.wh..wh.aufs' }]);
  t.deepEqual([...entries.keys()], []);
});

test('times that squashfs cannot hold are brought into its range', async (t) => {
  const entries = await rewritten([
    { name: 'old', pax: { mtime: '-5.5' } },
    { name: 'new', pax: { mtime: '99999999999.25' } },
    { name: 'exact', pax: { mtime: '1234.9' } },
  ]);
  t.deepEqual(
    ['old', 'new', 'exact'].map((name) => entries.get(name)?.mtime),
    [0, 0xffffffff, 1234],
  );
});
