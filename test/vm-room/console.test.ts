import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { guestPaths, nestPaths, type Paths } from '../../src/paths.ts';
import { consoleTail } from '../../src/vm/console.ts';

const ID = '0123456789ab';

test('shows the last lines, control characters kept', async (t) => {
  const { paths, write } = await guest(t);
  await write('', 'one\ntwo\n\u001b[1mthree\n');
  t.is(await consoleTail(paths, ID, 2), 'two\n\u001b[1mthree');
  t.is(await consoleTail(paths, ID, 9), 'one\ntwo\n\u001b[1mthree');
  t.is(await consoleTail(paths, ID, 0), '');
});

test('a line that has not ended is shown', async (t) => {
  const { paths, write } = await guest(t);
  await write('', 'one\nlogin: ');
  t.is(await consoleTail(paths, ID, 1), 'login: ');
});

test('goes on in the file that virtlogd has put aside', async (t) => {
  const { paths, write } = await guest(t);
  await write('.0', 'one\ntwo\nth');
  await write('', 'ree\n');
  t.is(await consoleTail(paths, ID, 2), 'two\nthree');
});

test('reads a bounded part of an endless line', async (t) => {
  const { paths, write } = await guest(t);
  await write('', 'x'.repeat(1024 * 1024));
  t.is((await consoleTail(paths, ID, 1)).length, 256 * 1024);
});

test('a guest that never started has an empty console', async (t) => {
  const { paths } = await guest(t);
  t.is(await consoleTail(paths, ID, 10), '');
});

async function guest(
  t: ExecutionContext,
): Promise<{ paths: Paths; write: (suffix: string, text: string) => Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-console-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const paths = nestPaths({ NEST_DATA_DIR: folder, NEST_RUNTIME_DIR: folder });
  const files = guestPaths(paths, ID);
  await mkdir(files.folder, { recursive: true });
  return { paths, write: (suffix, text) => writeFile(files.console + suffix, text) };
}
