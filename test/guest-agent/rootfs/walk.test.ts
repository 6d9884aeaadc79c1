import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { walk } from '../../../guest-agent/rootfs/walk.ts';

function tree(t: ExecutionContext): { top: string; fd: number } {
  const folder = mkdtempSync(join(tmpdir(), 'nest-walk-'));
  const top = join(folder, 'top');
  mkdirSync(join(top, 'b/c'), { recursive: true });
  writeFileSync(join(top, 'b/file'), '');
  writeFileSync(join(top, 'a'), '');
  mkdirSync(join(folder, 'outside'));
  writeFileSync(join(folder, 'outside/canary'), '');
  const fd = openSync(top, 'r');
  t.teardown(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  return { top, fd };
}

const paths = (fd: number) => Array.from(walk(fd), ({ path }) => path);

test('files come sorted, parents before children', (t) => {
  t.deepEqual(paths(tree(t).fd), ['a', 'b', 'b/c', 'b/file']);
});

test('links are listed, not followed', (t) => {
  const { top, fd } = tree(t);
  symlinkSync('../outside', join(top, 'link'));
  t.deepEqual(paths(fd), ['a', 'b', 'b/c', 'b/file', 'link']);
});

test('names need not be UTF-8', (t) => {
  const { top, fd } = tree(t);
  writeFileSync(Buffer.concat([Buffer.from(`${top}/`), Buffer.of(0xff)]), '');
  t.is(paths(fd).at(-1), '\xff');
});

test('a folder that becomes a link while it is walked leads nowhere', (t) => {
  const { top, fd } = tree(t);
  const seen: string[] = [];
  for (const { path } of walk(fd)) {
    seen.push(path);
    if (path !== 'b') continue;
    renameSync(join(top, 'b'), join(top, 'moved'));
    symlinkSync('../outside', join(top, 'b'));
  }
  t.deepEqual(seen, ['a', 'b']);
});

test('folders deeper than a layer may have are refused', (t) => {
  const { top, fd } = tree(t);
  mkdirSync(join(top, 'd/'.repeat(129)), { recursive: true });
  t.throws(() => paths(fd), { message: /deeper than 128 folders/ });
});
