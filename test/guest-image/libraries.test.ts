import path from 'node:path';
import test from 'ava';
import { sharedLibraries } from '../../src/guest-image/libraries.ts';
import { elfLibrary } from './elf-file.ts';
import { folderOf } from './folder.ts';

const LIB = 'usr/lib/x86_64-linux-gnu';

test('libraries of libraries come along', async (t) => {
  const folder = await folderOf(t, {
    'bin/program': elfLibrary(['liba.so.1']),
    [`${LIB}/liba.so.1`]: elfLibrary(['libb.so.1']),
    [`${LIB}/libb.so.1`]: elfLibrary([]),
    [`${LIB}/libopened.so.2`]: elfLibrary([]),
    [`${LIB}/libother.so.1`]: elfLibrary([]),
  });
  const found = await sharedLibraries([path.join(folder, 'bin/program')], ['libopened.so.2'], folder);
  t.deepEqual([...found.keys()].sort(), ['liba.so.1', 'libb.so.1', 'libopened.so.2']);
});

test('a missing library is an error that says who needs it', async (t) => {
  const folder = await folderOf(t, { 'bin/program': elfLibrary(['libgone.so.1']) });
  await t.throwsAsync(sharedLibraries([path.join(folder, 'bin/program')], [], folder), {
    message: /`libgone.so.1` for `program`/,
  });
});
