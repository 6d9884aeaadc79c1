import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openImages, type Images } from '../../src/images/images.ts';
import { progressTo, silent, type ProgressEvent } from '../../src/progress.ts';
import {
  busyboxImage,
  pathsIn,
  sha256,
  tarOf,
  temporaryFolder,
  writeImage,
  type TestImage,
  type TestLayer,
} from '../helpers/images.ts';

interface Opened {
  folder: string;
  store: string;
  disks: string;
  images: Images;
  /** As an engine does that comes after another. */
  reopen: () => Promise<Images>;
}

async function open(t: ExecutionContext): Promise<Opened> {
  const folder = await temporaryFolder(t);
  const paths = pathsIn(folder);
  const reopen = () => openImages(paths);
  return { folder, store: paths.imageStore, disks: paths.layers, images: await reopen(), reopen };
}

const from = (file: string) => ({ kind: 'path', path: file }) as const;

async function layerOf(text: string): Promise<TestLayer> {
  return { tar: await tarOf([{ name: 'file', content: text }]) };
}

async function isEmpty(t: ExecutionContext, { store, disks }: Opened): Promise<void> {
  t.deepEqual(await readdir(disks), []);
  t.deepEqual(await readdir(path.join(store, 'blobs/sha256')), []);
  t.deepEqual((await readdir(store)).sort(), ['blobs', 'index.json', 'oci-layout']);
}

const loads = test.macro<[NonNullable<TestImage['format']>]>({
  async exec(t, format) {
    const opened = await open(t);
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
  const { folder, images } = await open(t);
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
    const { folder, images } = await open(t);
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

test('an image is found by every name that Docker takes', async (t) => {
  const { folder, images } = await open(t);
  const source = await writeImage(path.join(folder, 'source'), [await layerOf('x')], {
    name: 'docker.io/library/hello:1',
  });
  const [image] = await images.load(from(source), silent);
  const id = image?.id ?? '';
  const index = JSON.parse(await readFile(path.join(source, 'index.json'), 'utf8')) as {
    manifests: { digest: string }[];
  };
  const digest = index.manifests[0]?.digest ?? '';
  const hex = id.slice('sha256:'.length);
  for (const name of ['hello:1', 'library/hello:1', 'docker.io/hello:1', `hello@${digest}`, `hello:2@${digest}`])
    t.is((await images.find(name))?.id, id, name);
  for (const name of [id, hex, hex.slice(0, 12), `sha256:${hex.slice(0, 12)}`])
    t.is((await images.find(name))?.id, id, name);
  for (const name of ['hello', 'hello:2', `other@${digest}`, `hello@${id}`, 'ffffffffffff', 'Not a name', ''])
    t.is(await images.find(name), undefined, name);
});

test('a name moves to the image that was loaded last, and both stay', async (t) => {
  const { folder, images, reopen } = await open(t);
  for (const text of ['one', 'two'])
    await images.load(from(await writeImage(path.join(folder, text), [await layerOf(text)], { name: 'x:1' })), silent);
  for (const store of [images, await reopen()]) {
    const list = await store.list();
    t.deepEqual(
      list.map(({ references }) => references),
      [[], ['docker.io/library/x:1']],
    );
    t.is((await store.find('x:1'))?.id, list[1]?.id);
  }
});

test('images share layers: the second one makes only what it adds', async (t) => {
  const { folder, images, disks } = await open(t);
  await images.load(from(await busyboxImage(path.join(folder, 'a'), { name: 'a' })), silent);
  const steps: string[] = [];
  const progress = progressTo((event) => {
    if (event.type === 'step' && event.state === 'done' && event.title.startsWith('Layer')) steps.push(event.title);
  });
  await images.load(from(await busyboxImage(path.join(folder, 'b'), { name: 'b', files: { new: 'x' } })), progress);
  t.is(steps.length, 1);
  t.is((await readdir(disks)).length, 2);
});

test('loads of the same image at the same time share the work', async (t) => {
  const { folder, images, disks, store } = await open(t);
  const source = await busyboxImage(path.join(folder, 'source'), { name: 'x', files: { a: 'b' } });
  const events: ProgressEvent[] = [];
  const progress = progressTo((event) => events.push(event));
  const results = await Promise.all([1, 2, 3, 4].map(() => images.load(from(source), progress)));
  t.is(new Set(results.map(([image]) => image?.id)).size, 1);
  t.is((await images.list()).length, 1);
  const made = events.filter(
    (event) => event.type === 'step' && event.state === 'done' && event.title.startsWith('Layer'),
  );
  t.is(made.length, 2);
  t.is((await readdir(disks)).length, 2);
  t.deepEqual((await readdir(store)).sort(), ['blobs', 'index.json', 'oci-layout']);
});

test('a layer that an image has twice is one disk, in its upper place', async (t) => {
  const { folder, images } = await open(t);
  const [a, b] = [await layerOf('a'), await layerOf('b')];
  const [image] = await images.load(from(await writeImage(path.join(folder, 'source'), [a, b, a])), silent);
  t.is(image?.layers.length, 3);
  const disks = image ? await images.layers(image, silent) : [];
  t.deepEqual(
    disks.map(({ diffId }) => diffId),
    [sha256(b.tar), sha256(a.tar)],
  );
});

test('a disk that is gone is made again', async (t) => {
  const { folder, images } = await open(t);
  const [image] = await images.load(from(await writeImage(path.join(folder, 'source'), [await layerOf('a')])), silent);
  if (!image) return t.fail();
  const [disk] = await images.layers(image, silent);
  const before = await readFile(disk?.path ?? '');
  await rm(disk?.path ?? '');
  t.deepEqual(await images.layers(image, silent), disk && [disk]);
  t.deepEqual(await readFile(disk?.path ?? ''), before);
});

test('what a killed engine left is removed, what it finished stays', async (t) => {
  const { folder, images, store, disks, reopen } = await open(t);
  const [image] = await images.load(from(await writeImage(path.join(folder, 'source'), [await layerOf('a')])), silent);
  const before = await tree(store, disks);
  await mkdir(path.join(store, 'staging-dead/store/blobs'), { recursive: true });
  await writeFile(path.join(store, 'index.json.tmp'), '{"schemaVersion": 2, "mani');
  await writeFile(path.join(store, 'blobs/sha256', 'f'.repeat(64)), 'a blob that no index names');
  await writeFile(path.join(disks, `${'e'.repeat(64)}.squashfs`), 'the disk of a load that never finished');
  await writeFile(path.join(disks, `${'d'.repeat(64)}.squashfs.123.tmp`), 'half a disk');
  const next = await reopen();
  t.deepEqual(await tree(store, disks), before);
  t.deepEqual(await next.list(), image && [image]);
});

async function tree(...folders: string[]): Promise<string[]> {
  return (await Promise.all(folders.map((folder) => readdir(folder, { recursive: true })))).flat().sort();
}

test('an image of the store that was damaged is left out, and loading it again mends it', async (t) => {
  const { folder, images, store, reopen } = await open(t);
  const source = await writeImage(path.join(folder, 'source'), [await layerOf('a')], { name: 'x' });
  const [image] = await images.load(from(source), silent);
  await writeFile(path.join(store, 'blobs', (image?.id ?? '').replace(':', '/')), '');
  const next = await reopen();
  t.deepEqual(await next.list(), []);
  t.deepEqual(await next.load(from(source), silent), image && [image]);
});

const refused = test.macro<[string, (source: string) => Promise<void>, { code: string; message?: RegExp }]>({
  async exec(t, _, damage, expected) {
    const opened = await open(t);
    const source = await writeImage(path.join(opened.folder, 'source'), [await layerOf('a'), await layerOf('b')]);
    await damage(source);
    await t.throwsAsync(opened.images.load(from(source), silent), expected);
    await isEmpty(t, opened);
  },
  title: (_, what) => `${what}: refused, and nothing is left behind`,
});

interface Document {
  manifests: { digest: string; size: number; mediaType: string; platform?: object }[];
}

/** Changes index.json of a layout. */
async function editIndex(source: string, edit: (index: Document) => void): Promise<void> {
  const file = path.join(source, 'index.json');
  const index = JSON.parse(await readFile(file, 'utf8')) as Document;
  edit(index);
  await writeFile(file, JSON.stringify(index));
}

/** The largest blob is a layer. */
async function layerBlob(source: string): Promise<string> {
  const tar = (await layerOf('b')).tar;
  return path.join(source, 'blobs', sha256(tar).replace(':', '/'));
}

test(
  refused,
  'a blob with other content',
  async (source) => {
    const blob = await layerBlob(source);
    await writeFile(blob, (await readFile(blob)).fill('z', 512, 513));
  },
  { code: 'image-invalid', message: /digest/ },
);
test(refused, 'a truncated blob', async (source) => truncate(await layerBlob(source), 700), {
  code: 'image-invalid',
  message: /700 bytes/,
});
test(refused, 'a missing blob', async (source) => rm(await layerBlob(source)), {
  code: 'image-invalid',
  message: /missing/,
});
test(
  refused,
  'a fifo in place of a blob',
  async (source) => {
    const blob = await layerBlob(source);
    await rm(blob);
    execFileSync('mkfifo', [blob]);
  },
  { code: 'image-invalid' },
);
test(
  refused,
  'a manifest with other content',
  (source) =>
    editIndex(source, ({ manifests: [entry] }) => {
      if (entry) entry.digest = `sha256:${'0'.repeat(64)}`;
    }),
  { code: 'image-invalid', message: /missing/ },
);
test(
  refused,
  'a digest that is a path',
  (source) =>
    editIndex(source, ({ manifests: [entry] }) => {
      if (entry) entry.digest = 'sha256:../../../../etc/passwd';
    }),
  { code: 'image-invalid', message: /manifests.0.digest/ },
);
test(refused, 'an index that is no JSON', (source) => writeFile(path.join(source, 'index.json'), 'hello'), {
  code: 'image-invalid',
  message: /not JSON/,
});
test(refused, 'a huge index', (source) => truncate(path.join(source, 'index.json'), 10 * 1024 ** 2), {
  code: 'image-invalid',
  message: /larger/,
});
test(
  refused,
  'an artifact that is no image',
  (source) =>
    editIndex(source, ({ manifests: [entry] }) => {
      if (entry) entry.mediaType = 'application/vnd.example.signature';
    }),
  { code: 'unsupported', message: /vnd.example/ },
);
test(
  refused,
  'an image for another platform',
  (source) =>
    editIndex(source, ({ manifests: [entry] }) => {
      if (entry) entry.platform = { os: 'linux', architecture: 'arm64' };
    }),
  { code: 'unsupported', message: /linux\/arm64/ },
);
test(refused, 'a folder that is no layout', (source) => rm(path.join(source, 'oci-layout')), { code: 'image-invalid' });
test(refused, 'a path that is not there', (source) => rm(source, { recursive: true }), { code: 'not-found' });
test(
  refused,
  'a file that is no archive',
  async (source) => {
    await rm(source, { recursive: true });
    await writeFile(source, 'hello '.repeat(1000));
  },
  { code: 'image-invalid' },
);
test(
  refused,
  'an archive of something else',
  async (source) => {
    await rm(source, { recursive: true });
    await writeFile(source, await tarOf([{ name: 'readme', content: 'hello' }]));
  },
  { code: 'image-invalid', message: /manifest.json/ },
);

test('an image whose configuration is for another platform is refused', async (t) => {
  const opened = await open(t);
  const source = await writeImage(path.join(opened.folder, 'source'), [await layerOf('a')], {
    architecture: 'riscv64',
  });
  await t.throwsAsync(opened.images.load(from(source), silent), { code: 'unsupported', message: /linux\/riscv64/ });
  await isEmpty(t, opened);
});

test('of an index for several platforms the one for linux/amd64 is taken', async (t) => {
  const { folder, images } = await open(t);
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

test('a hostile layer spoils the whole load, and what others loaded stays', async (t) => {
  const { folder, images, store, disks } = await open(t);
  await images.load(from(await writeImage(path.join(folder, 'good'), [await layerOf('a')], { name: 'good' })), silent);
  const before = await tree(store, disks);
  const bad = { tar: await tarOf([{ name: '../../etc/cron.d/x', content: 'x' }]) };
  const source = await writeImage(path.join(folder, 'bad'), [await layerOf('b'), bad], { name: 'good' });
  const error = await t.throwsAsync(images.load(from(source), silent), {
    code: 'image-invalid',
    message: /leaves the layer/,
  });
  t.false(error.message.includes('\n'));
  t.deepEqual(await tree(store, disks), before);
  t.is((await images.list()).length, 1);
});

test("an image cannot take another image's layer by naming its diff ID", async (t) => {
  const { folder, images } = await open(t);
  const secret = await layerOf('secret');
  await images.load(from(await writeImage(path.join(folder, 'theirs'), [secret], { name: 'theirs' })), silent);
  const lying = { ...(await layerOf('nothing')), diffId: sha256(secret.tar) };
  const source = await writeImage(path.join(folder, 'mine'), [lying], { name: 'mine' });
  await t.throwsAsync(images.load(from(source), silent), { code: 'image-invalid', message: /its content is sha256/ });
  t.is(await images.find('mine'), undefined);
});

test('one load with a damaged layer does not spoil another with the same layer whole', async (t) => {
  const { folder, images } = await open(t);
  const layer = await layerOf('a');
  const good = await writeImage(path.join(folder, 'good'), [{ ...layer, compression: 'gzip' }], { name: 'good' });
  const lying = { ...(await layerOf('b')), diffId: sha256(layer.tar) };
  const bad = await writeImage(path.join(folder, 'bad'), [lying], { name: 'bad' });
  const [first, second] = await Promise.allSettled([images.load(from(bad), silent), images.load(from(good), silent)]);
  t.is(first.status, 'rejected');
  t.is(second.status, 'fulfilled');
});

test('a cancelled load ends with its programs and leaves nothing', async (t) => {
  const opened = await open(t);
  const source = await busyboxImage(path.join(opened.folder, 'source'), { format: 'docker-archive' });
  const stop = new AbortController();
  const progress = progressTo((event) => {
    if (event.type === 'step' && event.title.startsWith('Layer')) stop.abort();
  });
  await t.throwsAsync(opened.images.load(from(source), progress, stop.signal), { name: 'AbortError' });
  await isEmpty(t, opened);
  t.is((await opened.images.load(from(source), silent)).length, 1);
});

test.serial('a missing program is told with its package', async (t) => {
  const opened = await open(t);
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
  await isEmpty(t, opened);
});

test('an archive with several images brings them all', async (t) => {
  const { folder, images } = await open(t);
  const archive = path.join(folder, 'both.tar');
  const names = ['localhost/a:1', 'localhost/b:1'];
  const layouts = await Promise.all(
    names.map(async (name, i) => writeImage(path.join(folder, String(i)), [await layerOf(name)], { name })),
  );
  const [first = '', second = ''] = layouts;
  await copyFile(path.join(second, 'index.json'), path.join(folder, 'second.json'));
  const merged = JSON.parse(await readFile(path.join(folder, 'second.json'), 'utf8')) as Document;
  await editIndex(first, ({ manifests }) => manifests.push(...merged.manifests));
  execFileSync('cp', ['-rn', path.join(second, 'blobs'), first]);
  execFileSync('tar', ['-cf', archive, '-C', first, '.']);
  const loaded = await images.load(from(archive), silent);
  t.deepEqual(
    loaded.map(({ references }) => references),
    names.map((name) => [name]),
  );
});
