import test from 'ava';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { volumePaths } from '../../src/paths.ts';
import { openState } from '../../src/engine/state/state.ts';
import type { Volume } from '../../src/volumes/volume.ts';
import { openTestEngine, type TestEngine } from '../helpers/engine.ts';
import { until } from '../helpers/until.ts';

let nest: TestEngine;

test.beforeEach(async () => {
  nest = await openTestEngine();
});
test.afterEach.always(() => nest.close());

interface Asked {
  binds?: string[];
  zone?: string;
  shape?: string;
  autoRemove?: boolean;
  policy?: string;
  volumes?: Record<string, object>;
}

async function create(name: string, { binds, zone, shape, autoRemove, policy, volumes }: Asked = {}) {
  return nest.docker.createContainer({
    Image: 'hello',
    name,
    Cmd: ['sleep'],
    Labels: { ...(zone && { 'nest.zone': zone }), ...(shape && { 'nest.shape': shape }) },
    ...(volumes && { Volumes: volumes }),
    HostConfig: {
      ...(binds && { Binds: binds }),
      ...(autoRemove && { AutoRemove: true }),
      RestartPolicy: { Name: policy ?? 'no' },
    },
  });
}

async function runs(name: string, asked: Asked = {}) {
  const container = await create(name, asked);
  await container.start();
  return container;
}

const volumeNames = async () => (await nest.docker.listVolumes()).Volumes.map(({ Name }) => Name);
const guestOf = async (name: string) =>
  ((await nest.docker.getContainer(name).inspect()) as unknown as { Nest: { Guest: string } }).Nest.Guest;
const guestId = async (name: string) => {
  const guest = await guestOf(name);
  return nest.guests.list().find((each) => each.name === guest)?.id ?? '';
};
const attachedTo = async (name: string) => nest.guests.attachedVolumes(await guestId(name));

test.serial('a volume is made by its first use, shown in its container, and outlives it', async (t) => {
  const container = await runs('db', { binds: ['data:/srv', 'data:/in:ro'] });
  const { Mounts, HostConfig } = await container.inspect();
  t.like(Mounts[0], { Type: 'volume', Name: 'data', Destination: '/srv', RW: true });
  t.deepEqual(HostConfig.Binds, ['data:/srv', 'data:/in:ro']);
  t.like(await nest.docker.getVolume('data').inspect(), { Name: 'data', Driver: 'local', Labels: {} });
  await t.throwsAsync(nest.docker.getVolume('data').remove(), { message: /in use by container `db`/ });
  await container.remove({ force: true });
  await nest.docker.getVolume('data').remove();
  t.deepEqual(await volumeNames(), []);
});

test.serial('it is attached while a container runs with it, read-only where all users only read', async (t) => {
  await runs('reader', { binds: ['data:/srv:ro'] });
  t.deepEqual(
    (await attachedTo('reader')).map(({ readOnly }) => readOnly),
    [true],
  );
  const writer = await create('writer', { binds: ['data:/srv'] });
  await t.throwsAsync(writer.start(), {
    message: /volume `data` is in use in guest `default-1` by container `reader`/,
  });
  await nest.docker.getContainer('reader').stop();
  await writer.start();
  await nest.docker.getContainer('reader').start();
  t.deepEqual(
    (await attachedTo('writer')).map(({ readOnly }) => readOnly),
    [false],
  );
});

test.serial(
  'who writes a volume joins the guest that has it, and takes it along when nobody runs with it',
  async (t) => {
    await runs('first', { binds: ['data:/srv'], shape: 'small' });
    await runs('other', { shape: '2x768m' });
    await runs('second', { binds: ['data:/srv'] });
    t.is(await guestOf('second'), await guestOf('first'));
    await t.throwsAsync(create('third', { binds: ['data:/srv'], shape: '2x768m' }), {
      message: /volume `data` is in use in guest `default-1`, which has another shape/,
    });
    for (const name of ['first', 'second']) await nest.docker.getContainer(name).stop();
    await runs('third', { binds: ['data:/srv'], shape: '2x768m' });
    t.is(await guestOf('third'), await guestOf('other'));
    t.is((await attachedTo('third')).length, 1);
    t.deepEqual(await attachedTo('first'), []);
    await t.throwsAsync(nest.docker.getContainer('first').start(), {
      message: /in use in guest `default-2` by container `third`/,
    });
  },
);

test.serial('a paused guest keeps its volumes, and that is said', async (t) => {
  await runs('first', { binds: ['data:/srv'], shape: 'small' });
  await nest.docker.getContainer('first').stop();
  await nest.guests.pause(await guestId('first'));
  const second = await create('second', { binds: ['data:/srv'], shape: '2x768m' });
  await t.throwsAsync(second.start(), { message: /attached to guest `default-1`, which is paused/ });
});

test.serial('containers that heal find their volume in the new guest', async (t) => {
  await runs('db', { binds: ['data:/srv'], policy: 'always' });
  const before = await guestId('db');
  await nest.guests.crash(before);
  await until(
    'it to run again',
    async () => (await nest.docker.getContainer('db').inspect()).State.Status === 'running',
  );
  t.not(await guestId('db'), before);
  t.is((await attachedTo('db')).length, 1);
});

test.serial('a volume belongs to one zone until it is given to another', async (t) => {
  await nest.docker.createVolume({ Name: 'data' });
  const container = await create('a', { binds: ['data:/srv'], zone: 'shop' });
  await t.throwsAsync(create('b', { binds: ['data:/srv', 'fresh:/x'], zone: 'other' }), {
    message: /volume `data` belongs to zone `shop`, the container to zone `other`/,
  });
  t.deepEqual(await volumeNames(), ['data'], 'what the failed create made is gone');
  t.is((await nest.call('PUT', '/nest/volumes/data', { zone: 'other' })).status, 409);
  await container.remove();
  t.is((await nest.call('PUT', '/nest/volumes/data', { zone: 'other' })).status, 200);
  await create('b', { binds: ['data:/srv'], zone: 'other' });
});

test.serial('nameless volumes go with their container where that is asked for, and by prune', async (t) => {
  for (const [name, v] of [
    ['kept', false],
    ['gone', true],
  ] as const) {
    const container = await create(name, { volumes: { '/own': {} } });
    await container.remove({ v });
  }
  const [kept] = await volumeNames();
  t.regex(kept ?? '', /^[0-9a-f]{64}$/);
  await nest.docker.createVolume({ Name: 'named' });
  t.like(await nest.docker.pruneVolumes(), { VolumesDeleted: [kept] });
  const all = { filters: JSON.stringify({ all: ['true'] }) };
  t.like(await nest.docker.pruneVolumes(all), { VolumesDeleted: ['named'] });
  await runs('auto', { volumes: { '/own': {} }, autoRemove: true });
  await nest.docker.getContainer('auto').kill();
  await until('its volume to go', async () => (await volumeNames()).length === 0);
});

test.serial('prune goes on past a volume that its guest does not let go of', async (t) => {
  const holder = await runs('holder', { binds: ['data:/srv'] });
  nest.guests.detachVolume = () => Promise.reject(new Error('the disk is busy'));
  await holder.remove({ force: true });
  await nest.docker.createVolume({ Name: 'other' });
  const all = { filters: JSON.stringify({ all: ['true'] }) };
  t.like(await nest.docker.pruneVolumes(all), { VolumesDeleted: ['other'] });
  t.deepEqual(await volumeNames(), ['data']);
  t.regex(nest.log.join('\n'), /prune volume `data`: .*the disk is busy/);
});

test.serial('a volume that is there is what a second create asks for, unless it differs', async (t) => {
  await nest.docker.createVolume({ Name: 'data', DriverOpts: { size: '64m' } });
  await nest.docker.createVolume({ Name: 'data' });
  await t.throwsAsync(nest.docker.createVolume({ Name: 'data', DriverOpts: { size: '128m' } }), {
    message: /another size/,
  });
  await t.throwsAsync(nest.docker.createVolume({ Name: 'tiny', DriverOpts: { size: '1k' } }), {
    message: /no size of a volume/,
  });
  await t.throwsAsync(nest.docker.createVolume({ Name: '../x' }), { message: /invalid characters/ });
  await t.throwsAsync(nest.docker.createVolume({ Name: 'far', Driver: 'nfs' }), { message: /there is none/ });
});

test.serial('two that name a new volume at once share it', async (t) => {
  await Promise.all(['a', 'b', 'c'].map((name) => runs(name, { binds: ['data:/srv'] })));
  t.deepEqual(await volumeNames(), ['data']);
  t.is(new Set(await Promise.all(['a', 'b', 'c'].map(guestOf))).size, 1);
});

test.serial('an engine that was killed leaves no half volume, and loses none that it cannot read', async (t) => {
  await nest.docker.createVolume({ Name: 'data', Labels: { a: 'b' } });
  const { Mountpoint } = await nest.docker.getVolume('data').inspect();
  await nest.engine.close();
  const half = path.join(nest.paths.volumes, '.v0000000000000000000.new');
  const strange = path.join(nest.paths.volumes, 'v1111111111111111111');
  for (const folder of [half, strange]) await mkdir(folder);
  await writeFile(path.join(strange, 'disk.raw'), 'data');
  const folder = path.dirname(nest.paths.data);
  nest = await openTestEngine({ folder, guests: nest.guests });
  t.false(existsSync(half));
  t.true(existsSync(path.join(strange, 'disk.raw')));
  const found = (await nest.docker.getVolume('data').inspect()) as unknown as Volume & { Mountpoint: string };
  t.like(found, { Mountpoint, Labels: { a: 'b' } });
  t.regex(nest.log.join('\n'), /read volume `v1111111111111111111`/);
});

const COMPOSE = `services:
  db: { image: hello, volumes: ['data:/srv', '/own'] }
  web: { image: hello, volumes: ['data:/in:ro'] }
volumes: { data: { x-nest: { size: 64m } }, unused: }
`;

test.serial('a project has its volumes, which stay when it goes down, unless they are to go', async (t) => {
  const deploy = async (file: string) => t.is(await deployed(file), 'result');
  const own = async () => (await volumeNames()).filter((name) => name !== 'shop_data');
  await deploy(COMPOSE);
  t.like(await nest.docker.getVolume('shop_data').inspect(), {
    Labels: { 'com.docker.compose.project': 'shop', 'com.docker.compose.volume': 'data' },
  });
  const before = await own();
  t.is(before.length, 1);
  await deploy(COMPOSE.replace('image: hello', 'image: hello, environment: { A: b }'));
  t.deepEqual(await own(), before, 'the new container has the nameless volume of the old one');
  await nest.stream('DELETE', '/nest/deployments/shop');
  t.is((await volumeNames()).length, 2);
  await deploy(COMPOSE);
  await nest.stream('DELETE', '/nest/deployments/shop?volumes=1');
  t.deepEqual(await volumeNames(), before);
});

test.serial(
  'a service keeps its nameless volume over a deploy that fails, which leaves nothing that it made',
  async (t) => {
    t.is(await deployed(COMPOSE), 'result');
    const [own] = (await volumeNames()).filter((name) => name !== 'shop_data');
    const taken = createServer().listen(0, '127.0.0.1');
    t.teardown(() => taken.close());
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const changed = COMPOSE.replace("'/own']", "'/own', '/second']");
    const failing = changed.replace(
      "image: hello, volumes: ['data:/in",
      `image: hello, ports: ["${port}:80"], volumes: ['more:/more', 'data:/in`,
    );
    t.is(await deployed(failing.replace('unused: }', 'more: }')), 'error');
    t.deepEqual((await volumeNames()).sort(), [own, 'shop_data'].sort(), 'what the deploy made is gone');
    t.is((await nest.docker.listContainers({ all: true })).length, 0);

    t.is(await deployed(changed), 'result');
    const { Mounts } = await nest.docker.getContainer('shop-db-1').inspect();
    t.is(Mounts.find(({ Destination }) => Destination === '/own')?.Name, own);
    t.is((await volumeNames()).length, 3);
    await nest.stream('DELETE', '/nest/deployments/shop?volumes=1');
    t.deepEqual(await volumeNames(), []);
  },
);

test.serial(
  'a crash while a service gets another container takes what was new, and no volume that is older',
  async (t) => {
    const { id } = await create('shop-db-1', { volumes: { '/own': {}, '/new': {} } });
    await nest.engine.close();
    const state = openState(nest.paths.stateDatabase);
    const row = state.containers.get(id);
    const [own, other] = row?.record.spec.volumes?.map(({ volume }) => volume) ?? [];
    if (row?.guest == null || own === undefined || other === undefined) throw new Error('no volumes');
    const createdAt = row.record.createdAt + 60_000;
    state.containers.save({ ...row, phase: 'creating', record: { ...row.record, createdAt } });
    state.close();
    const { description } = volumePaths(nest.paths, other);
    const volume = JSON.parse(await readFile(description, 'utf8')) as Volume;
    await writeFile(description, JSON.stringify({ ...volume, createdAt }));
    await nest.guests.remove(row.guest);
    nest = await openTestEngine({ folder: path.dirname(nest.paths.data), guests: nest.guests });
    await until('the new volume is gone', () => !existsSync(volumePaths(nest.paths, other).folder));
    t.true(existsSync(volumePaths(nest.paths, own).disk));
  },
);

test.serial('a second container of a service goes, and the one that stays keeps its nameless volumes', async (t) => {
  const owned = async () =>
    (await nest.docker.listVolumes({ filters: JSON.stringify({ label: ['com.docker.compose.service=db'] }) })).Volumes;
  t.is(await deployed(COMPOSE), 'result');
  const [own] = await owned();
  const labels = (await nest.docker.getContainer('shop-db-1').inspect()).Config.Labels;
  await nest.docker.createContainer({ name: 'surplus', Image: 'hello', Labels: { ...labels, 'nest.zone': 'shop' } });
  t.is(await deployed(COMPOSE), 'result');
  t.is((await nest.docker.listContainers({ all: true })).length, 2);
  t.deepEqual(await owned(), [own]);
});

test.serial('of the volumes of a project that cannot be made none is left', async (t) => {
  const volumes = 'volumes: { data: , gone: { external: true } }';
  const file = `services:\n  db: { image: hello, volumes: ['data:/srv', 'gone:/gone'] }\n${volumes}\n`;
  t.is(await deployed(file), 'error');
  t.deepEqual(await volumeNames(), []);
});

async function deployed(file: string): Promise<unknown> {
  const body = { file, fileName: 'compose.yaml', folder: 'shop', environment: {} };
  return (await nest.stream('POST', '/nest/deployments', body)).at(-1)?.['type'];
}
