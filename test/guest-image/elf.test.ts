import path from 'node:path';
import test from 'ava';
import { readDynamicLinks, readModuleInfo } from '../../src/guest-image/elf.ts';
import { elfFile, elfLibrary, elfModule } from './elf-file.ts';
import { folderOf } from './folder.ts';

test('the links of a real program name its loader and its libraries', async (t) => {
  const links = await readDynamicLinks(process.execPath);
  t.regex(links.interpreter ?? '', /ld-linux/);
  t.true(links.needed.includes('libc.so.6'));
});

test('a library names what it needs, a static program nothing', async (t) => {
  const folder = await folderOf(t, { library: elfLibrary(['liba.so.1', 'libb.so.2']), static: elfFile({}) });
  const links = await readDynamicLinks(path.join(folder, 'library'));
  t.deepEqual(links, { needed: ['liba.so.1', 'libb.so.2'], interpreter: null });
  t.deepEqual(await readDynamicLinks(path.join(folder, 'static')), { needed: [], interpreter: null });
});

test('a module tells its information, repeated keys included', async (t) => {
  const folder = await folderOf(t, { 'm.ko': elfModule(['alias=a', 'alias=b', 'depends=x,y']) });
  t.deepEqual(await readModuleInfo(path.join(folder, 'm.ko')), [
    ['alias', 'a'],
    ['alias', 'b'],
    ['depends', 'x,y'],
  ]);
});

test('what is no ELF file is refused by name', async (t) => {
  const folder = await folderOf(t, { script: '#!/bin/sh\n'.padEnd(100) });
  await t.throwsAsync(readDynamicLinks(path.join(folder, 'script')), { message: /script.*not a 64-bit/ });
});
