import { execFileSync } from 'node:child_process';
import { copyFile, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { progressTo, silent } from '../../src/progress.ts';
import { busyboxImage, writeImage, type TestImage } from '../helpers/images.ts';
import { assertEmpty, editIndex, from, layerOf, openTestImages, type IndexDocument } from '../helpers/image-store.ts';

const loads = test.macro<[NonNullable<TestImage['format']>]>({
  async exec(t, format) {
    const opened = await openTestImages(t);
    const source = await busyboxImage(path.join(opened.folder, 'source'), {
      format,
      name: 'localhost/hello:1',
      cmd: ['httpd', '-f'],
      exposedPorts: ['80/tcp'],
      labels: { a: 'b' },
      files: { 'www/index.html': 'hello' },
    });
    const [image] = await opened.images.load(from(source), silent);
    t.like(image, {
      references: ['localhost/hello:1'],
      created: '2024-01-01T00:00:00Z',
      architecture: 'amd64',
      config: {
        User: '',
        ExposedPorts: { '80/tcp': {} },
        Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
        Entrypoint: null,
        Cmd: ['httpd', '-f'],
        WorkingDir: '',
        Labels: { a: 'b' },
        StopSignal: '',
      },
    });
    t.is(image?.layers.length, 2);
    const layers = image ? await opened.images.layers(image, silent) : [];
    t.deepEqual(
      layers.map(({ diffId }) => diffId),
      image?.layers,
    );
    const top = layers.at(-1)?.path ?? '';
    t.is(execFileSync('unsquashfs', ['-cat', top, 'www/index.html'], { encoding: 'utf8' }), 'hello');

    t.deepEqual(await (await opened.reopen()).list(), await opened.images.list());
    execFileSync('skopeo', ['inspect', '--raw', `oci:${opened.store}:localhost/hello:1`]);
  },
  title: (_, format) => `an image comes from an ${format}, is there for the next engine, and skopeo can read the store`,
});

test(loads, 'oci-layout');
test(loads, 'oci-archive');
test(loads, 'docker-archive');

test('an archive is told by its content, not by its name, also when compressed', async (t) => {
  const { folder, images } = await openTestImages(t);
  for (const format of ['oci-archive', 'docker-archive'] as const) {
    const archive = await busyboxImage(path.join(folder, format), {
      format,
      name: `localhost/${format}:1`,
      cmd: [format],
    });
    const renamed = path.join(folder, `${format}: odd name.jpg`);
    await rename(archive, renamed);
    execFileSync('gzip', ['--suffix', '.x', renamed]);
    const [image] = await images.load(from(`${renamed}.x`), silent);
    t.deepEqual(image?.references, [`localhost/${format}:1`]);
  }
});

const named = test.macro<[string, string, string]>({
  async exec(t, annotation, folderName, reference) {
    const { folder, images } = await openTestImages(t);
    const source = await writeImage(path.join(folder, folderName), [await layerOf('x')], { name: annotation });
    const [image] = await images.load(from(source), silent);
    t.deepEqual(image?.references, [reference]);
  },
  title: (_, annotation, folder, reference) => `an image called "${annotation}" in ${folder}/ becomes ${reference}`,
});

test(named, 'hello', 'My App.oci', 'localhost/my-app:hello');
test(named, 'v1.2', 'web', 'localhost/web:v1.2');
test(named, 'team/app', 'web', 'docker.io/team/app:latest');
test(named, 'host:5000/x:1', 'web', 'host:5000/x:1');

test('an archive with several images brings them all', async (t) => {
  const { folder, images } = await openTestImages(t);
  const archive = path.join(folder, 'both.tar');
  const names = ['localhost/a:1', 'localhost/b:1'];
  const layouts = await Promise.all(
    names.map(async (name, i) => writeImage(path.join(folder, String(i)), [await layerOf(name)], { name })),
  );
  const [first = '', second = ''] = layouts;
  await copyFile(path.join(second, 'index.json'), path.join(folder, 'second.json'));
  const merged = JSON.parse(await readFile(path.join(folder, 'second.json'), 'utf8')) as IndexDocument;
  await editIndex(first, ({ manifests }) => manifests.push(...merged.manifests));
  execFileSync('cp', ['-rn', path.join(second, 'blobs'), first]);
  execFileSync('tar', ['-cf', archive, '-C', first, '.']);
  const loaded = await images.load(from(archive), silent);
  t.deepEqual(
    loaded.map(({ references }) => references),
    names.map((name) => [name]),
  );
});

test('of an index for several platforms the one for linux/amd64 is taken', async (t) => {
  const { folder, images } = await openTestImages(t);
  const source = await writeImage(path.join(folder, 'source'), [await layerOf('a')], { name: 'localhost/multi:1' });
  await editIndex(source, ({ manifests }) => {
    const [entry] = manifests;
    if (!entry) return;
    const ours = { ...entry, platform: { os: 'linux', architecture: 'amd64' } };
    const missing = (os: string, architecture: string, digit: string) => ({
      ...entry,
      digest: `sha256:${digit.repeat(64)}`,
      platform: { os, architecture },
    });
    manifests.splice(0, 1, missing('linux', 'arm64', '1'), missing('unknown', 'unknown', '2'), ours);
  });
  t.like(await images.load(from(source), silent), [{ architecture: 'amd64', references: ['localhost/multi:1'] }]);
});

test('a cancelled load ends with its programs and leaves nothing', async (t) => {
  const opened = await openTestImages(t);
  const source = await busyboxImage(path.join(opened.folder, 'source'), { format: 'docker-archive' });
  const stop = new AbortController();
  const progress = progressTo((event) => {
    if (event.type === 'step' && event.title.startsWith('Layer')) stop.abort();
  });
  await t.throwsAsync(opened.images.load(from(source), progress, stop.signal), { name: 'AbortError' });
  await assertEmpty(t, opened);
  t.is((await opened.images.load(from(source), silent)).length, 1);
});

test.serial('a missing program is told with its package', async (t) => {
  const opened = await openTestImages(t);
  const [layout, archive] = [
    await busyboxImage(path.join(opened.folder, 'layout')),
    await busyboxImage(path.join(opened.folder, 'archive'), { format: 'docker-archive' }),
  ];
  const before = process.env['PATH'];
  t.teardown(() => (process.env['PATH'] = before));
  process.env['PATH'] = opened.folder;
  const sqfstar = await t.throwsAsync(opened.images.load(from(layout), silent), { code: 'tool-missing' });
  t.like(sqfstar, { hint: 'Install it: apt-get install squashfs-tools' });
  const skopeo = await t.throwsAsync(opened.images.load(from(archive), silent), { code: 'tool-missing' });
  t.like(skopeo, { hint: 'Install it: apt-get install skopeo' });
  await assertEmpty(t, opened);
});
