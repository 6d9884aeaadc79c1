import { chmod, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { nestPaths } from '../../src/paths.ts';
import { prepareFolders } from '../../src/vm/folders.ts';

const OTHER = { uid: 64055, gid: 64055 };

test('folders are this user’s alone where QEMU runs as this user', async (t) => {
  const { paths } = await folders(t);
  await prepareFolders(paths, null);
  for (const name of ['data', 'runtime', 'guests'] as const) t.is((await stat(paths[name])).mode & 0o777, 0o700, name);
});

test('folders can be passed, not listed, where QEMU runs as another', async (t) => {
  const { paths } = await folders(t);
  await mkdir(paths.data, { mode: 0o700 });
  await prepareFolders(paths, OTHER);
  await prepareFolders(paths, OTHER);
  for (const name of ['data', 'runtime', 'guests', 'guestImages'] as const)
    t.is((await stat(paths[name])).mode & 0o777, 0o711, name);
});

test('a place that QEMU cannot reach is refused, with the folder that is in the way', async (t) => {
  const { folder, paths } = await folders(t);
  await chmod(folder, 0o700);
  const error = await t.throwsAsync(prepareFolders(paths, OTHER), { code: 'not-permitted' });
  t.true(error.message.includes(`may not pass \`${folder}\``), error.message);
  t.is((await stat(folder)).mode & 0o777, 0o700);
});

async function folders(t: ExecutionContext) {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-folders-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await chmod(folder, 0o711);
  const paths = nestPaths({ NEST_DATA_DIR: path.join(folder, 'data'), NEST_RUNTIME_DIR: path.join(folder, 'run') });
  return { folder, paths };
}
