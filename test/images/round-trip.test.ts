import { execFileSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import test, { type ExecutionContext } from 'ava';
import type { Images } from '../../src/images/images.ts';
import { silent } from '../../src/progress.ts';
import { busyboxImage, type TarEntry } from '../helpers/images.ts';
import { openTestImages } from '../helpers/image-store.ts';
import { mountDisks, treeOf } from '../helpers/trees.ts';

/** Mounts, and podman's storage, are root's. */
const asRoot = process.getuid?.() === 0 ? test : test.skip;
const NAME = 'localhost/nasty:1';

/** What images are seldom made of, in three layers over busybox. */
function nastyLayers(): TarEntry[][] {
  // cap_net_bind_service=p: linux/capability.h, struct vfs_cap_data, VFS_CAP_REVISION_2 | effective.
  const capability = '\x01\0\0\x02\0\x04' + '\0'.repeat(14);
  const time = new Date('2001-02-03T04:05:06Z');
  const directories = ['gone/', 'again/', 'opaque/', 'opaque/inner/', 'becomes-file/', 'long/'].map((name) => ({
    name,
  }));
  return [
    [
      ...directories,
      { name: 'gone/old', content: 'old' },
      { name: 'again/old', content: 'old' },
      { name: 'opaque/old', content: 'old' },
      { name: 'opaque/inner/old', content: 'old' },
      { name: 'becomes-file/x', content: 'x' },
      { name: 'becomes-directory', content: 'file' },
      { name: 'link-becomes-file', type: 'symlink', linkname: '/etc/passwd' },
      { name: 'setuid', content: '#!', mode: 0o4755, uid: 1000, gid: 1000 },
      { name: 'setgid', content: '#!', mode: 0o2711, gid: 3_000_000 },
      { name: 'sticky/', mode: 0o1777, mtime: time },
      { name: 'capable', content: '#!', mode: 0o755, pax: { 'SCHILY.xattr.security.capability': capability } },
      { name: 'attribute', content: 'x', pax: { 'SCHILY.xattr.user.key': 'välue' } },
      { name: `long/${'n'.repeat(255)}`, content: 'x' },
      { name: 'hard-1', content: 'the same', mtime: time },
      { name: 'hard-2', type: 'link', linkname: 'hard-1', mtime: time },
      { name: 'long/hard-3', type: 'link', linkname: 'hard-2', mtime: time },
      { name: 'null', type: 'character-device', devmajor: 1, devminor: 3, mode: 0o666 },
      { name: 'disk', type: 'block-device', devmajor: 8, devminor: 0, mode: 0o600 },
      { name: 'fifo', type: 'fifo', mode: 0o600 },
      { name: 'dangling', type: 'symlink', linkname: '../../nowhere' },
      { name: 'empty', content: '' },
      { name: 'zeros', content: Buffer.alloc(1024 * 1024) },
      { name: 'sp ace, colon: and \\ü', content: 'x' },
    ],
    [
      { name: '.wh.gone', content: '' },
      { name: '.wh.again', content: '' },
      { name: 'again/' },
      { name: 'again/new', content: 'new' },
      { name: 'opaque/', mode: 0o700 },
      { name: 'opaque/.wh..wh..opq', content: '' },
      { name: 'opaque/new', content: 'new' },
      { name: 'opaque/inner/' },
      { name: 'opaque/inner/.wh..wh..opq', content: '' },
      { name: 'opaque/inner/new', content: 'new' },
      { name: '.wh.becomes-file', content: '' },
      { name: 'becomes-file', content: 'a file now' },
      { name: '.wh.becomes-directory', content: '' },
      { name: 'becomes-directory/' },
      { name: 'becomes-directory/x', content: 'x' },
      { name: 'link-becomes-file', content: 'a file now' },
      // One name of three gets content of its own; the other two stay one file.
      { name: 'hard-2', content: 'another', mode: 0o600 },
    ],
    [
      { name: 'gone/' },
      { name: 'gone/back', content: 'again' },
      // As all that write layers from an overlay do; a directory that is only implied has Docker's defaults.
      { name: 'opaque/', mode: 0o700 },
      { name: 'opaque/inner/' },
      { name: 'opaque/.wh.new', content: '' },
      { name: 'opaque/inner/newer', content: 'newer' },
    ],
  ];
}

async function save(images: Images, file: string, ...names: string[]): Promise<string> {
  await pipeline(Readable.from(await images.save(names)), createWriteStream(file));
  return file;
}

async function treeOfImage(t: ExecutionContext, images: Images, folder: string): Promise<Record<string, string>> {
  const image = (await images.find(NAME)) ?? t.fail();
  return treeOf(await mountDisks(t, folder, await images.layers(image, silent)));
}

/** Podman takes no more than 50 characters. */
const runRoot = (folder: string) => path.join('/run', path.basename(folder));

function podman(folder: string, ...parameters: string[]): string {
  const storage = ['--root', path.join(folder, 'podman'), '--runroot', runRoot(folder)];
  const flags = ['--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'file'];
  // A host with both versions of cgroups confuses crun.
  const script = 'umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup; exec podman "$@"';
  return execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', ...storage, ...flags, ...parameters], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

asRoot('an image goes through skopeo, umoci and podman, and comes back with the same files', async (t) => {
  const { folder, images } = await openTestImages(t);
  t.teardown(() => rm(runRoot(folder), { recursive: true, force: true }));
  const source = await busyboxImage(path.join(folder, 'source'), { name: NAME, layers: nastyLayers() });
  await images.load({ kind: 'path', path: source }, silent);
  const ours = await treeOfImage(t, images, path.join(folder, 'ours'));
  t.true('./again/new' in ours && !('./again/old' in ours) && !('./opaque/inner/old' in ours));
  t.regex(ours['./capable'] ?? '', /security\.capability=0100000200040000/);
  const saved = await save(images, path.join(folder, 'saved.tar'), NAME);

  const layout = path.join(folder, 'layout');
  execFileSync('skopeo', ['--insecure-policy', 'copy', '-q', `oci-archive:${saved}`, `oci:${layout}:x`]);
  execFileSync('umoci', ['unpack', '--image', `${layout}:x`, path.join(folder, 'bundle')]);
  t.deepEqual(await treeOf(path.join(folder, 'bundle/rootfs')), ours, 'umoci unpacks the same files');
  execFileSync('skopeo', ['inspect', `docker-archive:${saved}`]);

  podman(folder, 'load', '-i', saved);
  t.deepEqual(await treeOf(podman(folder, 'image', 'mount', NAME)), ours, 'podman has the same files');
  const limits = ['--ulimit=nofile=1024:1024', '--ulimit=nproc=1000:1000'];
  const ran = podman(folder, 'run', '--rm', '--cgroups=disabled', '--network=none', ...limits, NAME, 'cat', '/hard-1');
  t.is(ran, 'the same');

  for (const format of ['docker-archive', 'oci-archive']) {
    const file = path.join(folder, `podman-${format}.tar`);
    podman(folder, 'save', '--format', format, '-o', file, NAME);
    const back = await openTestImages(t);
    await back.images.load({ kind: 'path', path: file }, silent);
    await mkdir(path.join(back.folder, 'mounts'));
    t.deepEqual(await treeOfImage(t, back.images, path.join(back.folder, 'mounts')), ours, format);
  }
});

test('what is saved is the same bytes each time, and loads as the same images with their names', async (t) => {
  const { folder, images } = await openTestImages(t);
  for (const name of ['a:1', 'b:1'])
    await images.load(
      { kind: 'path', path: await busyboxImage(path.join(folder, name[0] ?? ''), { name, cmd: [name] }) },
      silent,
    );
  await images.tag('a:1', 'localhost:5000/team/a:2');
  const first = await save(images, path.join(folder, '1.tar'), 'a:1', 'b:1', 'localhost:5000/team/a:2');
  const second = await save(images, path.join(folder, '2.tar'), 'a:1', 'b:1', 'localhost:5000/team/a:2');
  execFileSync('cmp', [first, second]);
  const other = await openTestImages(t);
  const loaded = await other.images.load({ kind: 'path', path: first }, silent);
  t.deepEqual(
    loaded.map(({ id, references }) => [id, references.toSorted()]),
    (await images.list()).map(({ id, references }) => [id, references.toSorted()]),
  );
  // Docker before 25 and skopeo look for manifest.json alone.
  const [, manifest = ''] =
    /^(.*)$/s.exec(execFileSync('tar', ['-xOf', first, 'manifest.json'], { encoding: 'utf8' })) ?? [];
  t.deepEqual(
    (JSON.parse(manifest) as { RepoTags: string[] }[]).map(({ RepoTags }) => RepoTags),
    [['a:1', 'localhost:5000/team/a:2'], ['b:1']],
  );
  await t.throwsAsync(images.save(['a:1', 'nothing']), { code: 'image-not-found' });
});
