import test from 'ava';
import { mkdir, mkdtemp, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readTar } from '../../guest-agent/tar/reader.ts';
import type { DeployResult } from '../../src/api.ts';
import { openTestEngine, type TestEngine } from '../helpers/engine.ts';
import { streamOf } from '../helpers/images.ts';

let nest: TestEngine;
let folder: string;

test.beforeEach(async () => {
  nest = await openTestEngine();
  folder = await mkdtemp(path.join(tmpdir(), 'nest-copies-'));
  await mkdir(path.join(folder, 'conf'));
  await writeFile(path.join(folder, 'conf/site'), 'first');
});
test.afterEach.always(async () => {
  await nest.close();
  await rm(folder, { recursive: true });
});

const create = (Binds: string[]) =>
  nest.docker.createContainer({ Image: 'hello', name: 'web', Cmd: ['sleep'], HostConfig: { Binds } });

async function received(): Promise<Record<string, string[]>> {
  const [guest] = nest.guests.list();
  const copies = nest.guests.agent(guest?.id ?? '').copies;
  const names: Record<string, string[]> = {};
  for (const [key, archive] of copies) {
    const entries = (names[key.split('/')[1] ?? ''] = [] as string[]);
    for await (const { entry } of readTar(streamOf(archive))) entries.push(entry.name);
  }
  return names;
}

test.serial('files of the host are copied before the container is there, and shown as binds', async (t) => {
  const container = await create([`${folder}/conf:/etc/conf:ro`, `${folder}/conf/site:/site`]);
  t.deepEqual(await received(), { 0: ['content/', 'content/site'], 1: ['content'] });
  const { Mounts, HostConfig } = await container.inspect();
  t.like(Mounts[0], { Type: 'bind', Source: `${folder}/conf`, Destination: '/etc/conf', RW: false });
  t.deepEqual(HostConfig.Binds, [`${folder}/conf:/etc/conf:ro`, `${folder}/conf/site:/site`]);
});

test.serial('what is not there, is no file, or is too much is refused, and leaves no container', async (t) => {
  await t.throwsAsync(create([`${folder}/absent:/x`]), { message: /there is no such file or folder/ });
  await t.throwsAsync(create([`${nest.paths.engineSocket}:/x`]), { message: /neither a file nor a folder/ });
  await writeFile(path.join(folder, 'large'), '');
  await truncate(path.join(folder, 'large'), 300 * 1024 ** 2);
  await t.throwsAsync(create([`${folder}:/x`]), { message: /more than 256 MiB/ });
  t.deepEqual(await nest.docker.listContainers({ all: true }), []);
});

test.serial('a service is made anew when the files that it has copies of have changed', async (t) => {
  const deploy = async () => {
    const events = await nest.stream('POST', '/nest/deployments', {
      file: "services: { web: { image: hello, volumes: ['./conf:/etc/conf:ro'] } }",
      fileName: 'compose.yaml',
      folder: 'shop',
      directory: folder,
      environment: {},
    });
    const steps = events.map((event) => String(event['title'])).filter((title) => title.startsWith('Copying'));
    const { services } = events.at(-1)?.['value'] as DeployResult;
    return { steps, actions: services.map(({ action }) => action) };
  };
  t.deepEqual(await deploy(), {
    steps: Array<string>(2).fill(`Copying ${folder}/conf to shop-web-1:/etc/conf (2 files, 1 KiB)`),
    actions: ['created'],
  });
  t.deepEqual((await deploy()).actions, ['unchanged']);
  await writeFile(path.join(folder, 'conf/site'), 'second');
  t.deepEqual((await deploy()).actions, ['recreated']);
  await utimes(path.join(folder, 'conf/site'), 1, 1);
  t.deepEqual((await deploy()).actions, ['recreated']);
});
