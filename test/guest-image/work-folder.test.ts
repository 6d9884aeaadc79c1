import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import { openWorkFolder } from '../../src/guest-image/work-folder.ts';
import { folderOf } from './folder.ts';

test('a work folder disappears with its object', async (t) => {
  const parent = await folderOf(t);
  {
    await using work = await openWorkFolder(parent);
    t.deepEqual(await readdir(parent), [path.basename(work.folder)]);
  }
  t.deepEqual(await readdir(parent), []);
});

test('what a killed process left is removed, what a running one uses stays', async (t) => {
  const ended = execFile('true');
  await once(ended, 'close');
  const parent = await folderOf(t);
  await mkdir(path.join(parent, `.building-${ended.pid}-abc`));
  await using first = await openWorkFolder(parent);
  await using second = await openWorkFolder(parent);
  t.deepEqual((await readdir(parent)).sort(), [path.basename(first.folder), path.basename(second.folder)].sort());
});
