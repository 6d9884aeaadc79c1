import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { guestPaths, nestPaths } from '../../src/paths.ts';
import { autopsy, lastWords } from '../../src/vm/autopsy.ts';
import type { GuestRecord } from '../../src/vm/record.ts';

test("a panic is told in the kernel's own words, visible characters only", async (t) => {
  const { paths, record } = await deadGuest(t, 'boot\n[1.0] Kernel panic - not syncing: sys\u001b[2Jrq\nRebooting\n');
  t.is(await autopsy(paths, record, 'its QEMU ended'), 'its kernel panicked: sys[2Jrq');
});

test('without a panic what the host knows stands', async (t) => {
  const { paths, record } = await deadGuest(t, 'boot\n');
  t.is(await autopsy(paths, record, 'its QEMU ended'), 'its QEMU ended');
});

test('the console outlives its guest, found by name and by id', async (t) => {
  const { paths, record } = await deadGuest(t, 'last words\n');
  await autopsy(paths, record, 'it froze');
  await rm(paths.guests, { recursive: true });
  t.is(await lastWords(paths, record.name), 'last words');
  t.is(await lastWords(paths, record.id), 'last words');
  t.is(await lastWords(paths, 'other-1'), undefined);
});

test('only so many consoles are kept', async (t) => {
  const { paths, record } = await deadGuest(t, 'x\n');
  await mkdir(paths.lastWords);
  for (let index = 0; index < 60; index++) await writeFile(path.join(paths.lastWords, `old-${index}.0.log`), '');
  await autopsy(paths, record, 'it froze');
  t.is((await readdir(paths.lastWords)).length, 50);
  t.is(await lastWords(paths, record.name), 'x');
});

async function deadGuest(t: ExecutionContext, text: string) {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-autopsy-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const paths = nestPaths({ NEST_DATA_DIR: folder, NEST_RUNTIME_DIR: folder });
  const record = { id: '0123456789ab', name: 'my.zone-1' } as GuestRecord;
  await mkdir(guestPaths(paths, record.id).folder, { recursive: true });
  await writeFile(guestPaths(paths, record.id).console, text);
  return { paths, record };
}
