import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
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

test('cp copies files and folders both ways, of containers that run and that have ended', async (t) => {
  const here = path.join(nest.paths.data, 'copies');
  await mkdir(path.join(here, 'tree/sub'), { recursive: true });
  await writeFile(path.join(here, 'tree/sub/file'), 'from here');
  await symlink('/nowhere', path.join(here, 'tree/link'));
  await nest.ok('run', '-d', '--name', 'running', 'localhost/busybox:files', 'sleep', '100000');
  await nest.ok('run', '--name', 'ended', 'localhost/busybox:files', 'true');
  for (const name of ['running', 'ended']) {
    await nest.ok('cp', path.join(here, 'tree'), `${name}:/copied`);
    await nest.ok('cp', path.join(here, 'tree/sub/file'), `${name}:/copied/sub/renamed`);
    const out = path.join(here, name);
    await nest.ok('cp', `${name}:/copied`, out);
    t.is(await readFile(path.join(out, 'sub/renamed'), 'utf8'), 'from here');
    t.is(await readlink(path.join(out, 'link')), '/nowhere');
    await nest.ok('cp', `${name}:/d/.`, out);
    t.is(await readFile(path.join(out, 'b'), 'utf8'), 'b');
  }
  t.is(
    await nest.ok('exec', 'running', 'sh', '-c', 'stat -c %u /copied/sub/file; cat /copied/sub/file'),
    '0\nfrom here',
  );
  const missing = await nest.run(['cp', 'running:/not/there', here]);
  t.regex(missing.stderr, /Could not find the file \/not\/there in container running/);
  t.regex(
    (await nest.run(['cp', path.join(here, 'tree'), 'running:/f'])).stderr,
    /a folder cannot take the place of a file/,
  );
});

test('while a container swaps a folder for a link, cp touches nothing outside of it (CVE-2018-15664)', async (t) => {
  const swap =
    'mkdir -p /x/real; echo inside >/x/real/canary; cd /x; while :; do ln -sfn /var/lib/nest d; rm d; mv real d; mv d real; done';
  await nest.ok('run', '-d', '--name', 'swapper', 'localhost/busybox:files', 'sh', '-c', swap);
  const file = path.join(nest.paths.data, 'canary');
  await writeFile(file, 'canary');
  for (let round = 0; round < 5; round++) {
    await nest.run(['cp', file, 'swapper:/x/d/canary']);
    const out = path.join(nest.paths.data, `swapped-${round}`);
    await nest.run(['cp', 'swapper:/x/d', out]);
    // The guest's own folder of this name has containers in it, the container's own root has no such folder.
    t.false(existsSync(path.join(out, 'containers')));
  }
  // What was written is in the container; the guest's disk has no file of this name.
  await nest.ok('rm', '-f', 'swapper');
  t.is(await nest.ok('run', '--rm', 'localhost/busybox:files', 'echo', 'well'), 'well');
});
