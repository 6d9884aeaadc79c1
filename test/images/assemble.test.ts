import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { silent } from '../../src/progress.ts';
import { streamOf, tarOf, writeImage } from '../helpers/images.ts';
import { assertEmpty, from, layerOf, openTestImages } from '../helpers/image-store.ts';

const created = '2024-01-01T00:00:00Z';
const CONFIG = {
  created,
  architecture: 'amd64',
  os: 'linux',
  config: { Cmd: ['sh'], Healthcheck: { Test: ['CMD', 'true'], Interval: 5e9 }, OnBuild: ['RUN true'] },
  history: [
    { created, created_by: 'FROM base' },
    { created, created_by: 'CMD ["sh"]', empty_layer: true },
    { created, created_by: 'COPY . .' },
  ],
};

test('an image is made from the layers of another and a new one, the same each time', async (t) => {
  const { folder, images, reopen, store } = await openTestImages(t);
  const [base] = await images.load(from(await writeImage(path.join(folder, 'base'), [await layerOf('base')])), silent);
  const tar = await tarOf([{ name: 'new', content: 'x'.repeat(100_000) }]);
  const make = async () => {
    await using assembly = await images.assemble();
    const added = await assembly.addLayer(streamOf(tar, 1000), silent);
    const layers = [...(assembly.layersOf(base?.id ?? '') ?? []), added];
    return await assembly.addImage(CONFIG, layers, ['localhost/made:1']);
  };
  const id = await make();
  t.is(await make(), id);
  const image = await images.find('localhost/made:1');
  t.like(image, { id, config: { Cmd: ['sh'], OnBuild: ['RUN true'] } });
  t.is(image?.config.Healthcheck?.Interval, 5e9);
  t.deepEqual(
    image?.history.map(({ createdBy, size }) => [createdBy, size > 0]),
    [
      ['FROM base', true],
      ['CMD ["sh"]', false],
      ['COPY . .', true],
    ],
  );
  t.is((await images.layers(image ?? t.fail(), silent)).length, 2);
  t.is((await (await reopen()).find(id))?.id, id);
  execFileSync('umoci', ['stat', '--image', `${store}:localhost/made:1`]);
});

test('an image that is not made to its end leaves nothing', async (t) => {
  const opened = await openTestImages(t);
  {
    await using assembly = await opened.images.assemble();
    await assembly.addLayer(streamOf((await layerOf('a')).tar), silent);
    // What others do meanwhile does not take it away.
    await opened.images.prune(() => true);
    t.is((await readdir(opened.disks)).length, 1);
    await t.throwsAsync(assembly.addImage({ os: 'linux' }, [], []), { code: 'image-invalid' });
  }
  await assertEmpty(t, opened);
});
