import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { readComposeFile } from '../../src/client/compose-file.ts';
import { projectNameOf } from '../../src/client/project-name.ts';

async function folderWith(files: Record<string, string>): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(path.join(tmpdir(), 'Nest.Compose-'));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

test('a folder’s file is found in Compose’s order', async (t) => {
  await using place = await folderWith({ 'docker-compose.yml': 'old', 'compose.yaml': 'new' });
  const { file, fileName, folder, directory } = await readComposeFile(place.folder, {});
  t.deepEqual(
    { file, fileName, folder, directory },
    { file: 'new', fileName: 'compose.yaml', folder: path.basename(place.folder), directory: place.folder },
  );
});

test('variables come from .env, over them from the environment, and only those that the file mentions', async (t) => {
  await using place = await folderWith({
    'compose.yaml': 'image: ${IMAGE}:$TAG\nenvironment: [TOKEN]\n',
    '.env': 'IMAGE=web\nTAG=1\nUNUSED=x\n',
  });
  const { environment } = await readComposeFile(place.folder, { TAG: '2', TOKEN: 't', SECRET: 's' });
  t.deepEqual(environment, { IMAGE: 'web', TAG: '2', TOKEN: 't' });
});

test('a folder without a Compose file is an error that names it', async (t) => {
  await using place = await folderWith({});
  const error = await t.throwsAsync(readComposeFile(place.folder, {}), { code: 'not-found' });
  t.true(error.message.includes(place.folder));
});

test('a place that is not there is an error', async (t) => {
  await t.throwsAsync(readComposeFile('/nonexistent/compose.yaml', {}), { code: 'not-found' });
});

const file = {
  file: '',
  fileName: 'compose.yaml',
  folder: 'My_Shop.v2',
  directory: '/srv/My_Shop.v2',
  environment: {},
};

test('a project is named by the environment, the file or the folder, in this order', (t) => {
  const named = { ...file, file: 'name: shop\nservices: {}' };
  t.is(projectNameOf({ ...named, environment: { COMPOSE_PROJECT_NAME: 'test' } }), 'test');
  t.is(projectNameOf(named), 'shop');
  t.is(projectNameOf(file), 'my_shopv2');
});

test('a file that is broken otherwise still names its folder’s project', (t) => {
  t.is(projectNameOf({ ...file, file: 'services: [' }), 'my_shopv2');
});

test('a name that is made of variables is asked for', (t) => {
  t.throws(() => projectNameOf({ ...file, file: 'name: ${X}-shop' }), { code: 'invalid-input' });
});
