import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { openImages } from '../../src/images/images.ts';
import { silent } from '../../src/progress.ts';
import { pathsIn, streamOf, tarOf, temporaryFolder, writeImage } from '../helpers/images.ts';
import { startRegistry } from '../helpers/registry.ts';

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot('a full disk fails the one operation, which says so, and corrupts nothing', async (t) => {
  const folder = await temporaryFolder(t);
  const disk = path.join(folder, 'disk');
  await mkdir(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', disk]);
  t.teardown(() => execFileSync('umount', [disk]));
  const images = await openImages(pathsIn(disk));
  const imageOf = async (name: string, bytes: number, format: 'oci-archive' | 'docker-archive' | 'oci-layout') =>
    writeImage(path.join(folder, name), [{ tar: await tarOf([{ name: 'file', content: randomBytes(bytes) }]) }], {
      name: `localhost/${name}:1`,
      format,
    });
  const load = async (file: string) => images.load({ kind: 'path', path: file }, silent);
  const whole = async () => {
    t.deepEqual((await images.check({ repair: false, progress: silent })).problems, []);
    t.deepEqual(
      (await images.list()).flatMap(({ references }) => references),
      ['localhost/small:1'],
    );
  };
  await load(await imageOf('small', 1_000_000, 'oci-archive'));

  const registry = await startRegistry(t);
  const large = await imageOf('large', 14_000_000, 'oci-archive');
  execFileSync('skopeo', [
    '--insecure-policy',
    'copy',
    '-q',
    '--dest-tls-verify=false',
    `oci-archive:${large}`,
    `docker://${registry}/x`,
  ]);
  for (const [what, work] of [
    ['an OCI archive', async () => load(large)],
    ['a docker archive', async () => load(await imageOf('docker', 14_000_000, 'docker-archive'))],
    ['a layout', async () => load(await imageOf('layout', 14_000_000, 'oci-layout'))],
    ['a pull', async () => images.load({ kind: 'registry', reference: `${registry}/x` }, silent)],
    ['room for the blob, none for its disk', async () => load(await imageOf('half', 7_000_000, 'oci-archive'))],
    [
      'an image that is made here',
      async () => {
        await using assembly = await images.assemble();
        await assembly.addLayer(
          streamOf(await tarOf([{ name: 'x', content: randomBytes(14_000_000) }]), 65536),
          silent,
        );
      },
    ],
  ] as const) {
    await t.throwsAsync(work(), { code: 'no-room', message: /no space left/ }, what);
    await whole();
  }
  // Not a byte left: what there is can still be read, and removed.
  await writeFile(path.join(disk, 'filler'), randomBytes(20_000_000)).catch(() => undefined);
  await t.throwsAsync(images.tag('localhost/small:1', 'localhost/other:1'), { code: 'no-room' });
  await whole();
  await images.remove('localhost/small:1', { force: false, users: () => [] });
  t.deepEqual(await (await openImages(pathsIn(disk))).list(), []);
});
