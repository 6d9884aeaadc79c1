import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import type { TarEntry } from '../../guest-agent/tar/entry.ts';
import { readTar } from '../../guest-agent/tar/reader.ts';
import { busyboxImage } from '../helpers/images.ts';
import { openNest, type Nest } from '../helpers/nest.ts';

/** VFS_CAP_REVISION_2 with CAP_NET_BIND_SERVICE permitted and effective: include/uapi/linux/capability.h. */
const CAPABILITY = Buffer.from('0100000200040000000000000000000000000000', 'hex');

let nest: Nest;

test.before(async () => {
  nest = await openNest();
  const image = await busyboxImage(path.join(nest.paths.data, 'fixture'), {
    name: 'localhost/busybox:files',
    layers: [
      [
        { name: 'd/' },
        { name: 'd/a', content: 'a' },
        { name: 'd/b', content: 'b' },
        { name: 'f', content: 'f' },
        {
          name: 'tool',
          content: 'tool',
          mode: 0o755,
          pax: { 'SCHILY.xattr.user.kind': 'tool', 'SCHILY.xattr.security.capability': CAPABILITY.toString('latin1') },
        },
        { name: 'kept', content: 'kept' },
      ],
    ],
  });
  await nest.ok('image', 'load', image);
  await nest.ok('run', '--name', 'writer', 'localhost/busybox:files', 'sh', '-c', SCRIPT);
  await nest.ok('run', '-d', '--name', 'runner', 'localhost/busybox:files', 'sh', '-c', 'echo 1 > /one; sleep 1000');
});

test.after.always(() => nest.close());

/** What a layer can hold and a careless tar would lose. */
const SCRIPT = [
  'set -e',
  'rm f; rm -r d; mkdir d; echo c > d/c; ln d/c d/hard; chown 7:8 d/c; chmod 4755 d/c',
  'touch -d @1000000000 d/c',
  'mkfifo -m 600 fifo; mknod null c 1 3; ln -s /nowhere link; chmod 700 tool',
  'dd if=/dev/zero of=sparse bs=1 count=1 seek=4194303 2>/dev/null',
  'mkdir -m 1777 sticky',
].join('\n');

test('diff tells what was added, changed and deleted, of containers that run and that have ended', async (t) => {
  const writer = (await nest.ok('diff', 'writer')).split('\n');
  t.deepEqual(writer, [
    'C /d',
    'D /d/a',
    'D /d/b',
    'A /d/c',
    'A /d/hard',
    'D /f',
    'A /fifo',
    'A /link',
    'A /null',
    'A /sparse',
    'A /sticky',
    'C /tool',
  ]);
  t.deepEqual(await nest.json('diff', 'runner'), [{ path: '/one', kind: 'A' }]);
});

test('export is a tar of all that the container sees, metadata kept', async (t) => {
  const file = path.join(nest.paths.data, 'writer.tar');
  await nest.ok('export', 'writer', '-o', file);
  const entries = await read(file);
  const find = (name: string) => entries.get(name);
  t.like(find('d/c'), { type: 'file', mode: 0o4755, uid: 7, gid: 8, mtime: 1_000_000_000, body: 'c\n' });
  t.like(find('d/hard'), { type: 'hard-link', linkName: 'd/c' });
  t.like(find('fifo'), { type: 'fifo', mode: 0o600 });
  t.like(find('null'), { type: 'character-device', deviceMajor: 1, deviceMinor: 3 });
  t.like(find('link'), { type: 'symlink', linkName: '/nowhere' });
  t.like(find('sticky/'), { type: 'directory', mode: 0o1777 });
  t.is(find('sparse')?.size, 4_194_304);
  t.is(find('kept')?.body, 'kept');
  t.is(find('bin/sh')?.linkName, 'busybox');
  for (const gone of ['f', 'd/a', 'd/b']) t.is(find(gone), undefined, gone);
  const tool = find('tool');
  t.is(tool?.mode, 0o700);
  t.is(tool?.xattrs.get('user.kind')?.toString(), 'tool');
  t.deepEqual(tool?.xattrs.get('security.capability'), CAPABILITY);
});

test('an export that fails leaves no file', async (t) => {
  const outcome = await nest.run(['export', 'nobody', '-o', path.join(nest.paths.data, 'nobody.tar')]);
  t.is(outcome.exitCode, 1);
  t.regex(outcome.stderr, /nobody/);
  t.deepEqual(
    (await readdir(nest.paths.data)).filter((name) => name.startsWith('nobody')),
    [],
  );
});

async function read(file: string): Promise<Map<string, TarEntry & { body: string }>> {
  const entries = new Map<string, TarEntry & { body: string }>();
  for await (const { entry, body } of readTar(createReadStream(file) as AsyncIterable<Buffer>)) {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    entries.set(entry.name, { ...entry, body: Buffer.concat(chunks).toString() });
  }
  return entries;
}
