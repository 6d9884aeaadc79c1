import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readInRoot } from '../../../guest-agent/container/file-in-root.ts';
import { linux } from '../../../guest-agent/sys/sys.ts';

/** A root with an etc folder, beside a canary that must stay unread. */
function testRoot(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nest-root-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'canary'), 'canary');
  mkdirSync(join(folder, 'root/etc'), { recursive: true });
  return join(folder, 'root');
}

const read = (root: string) => readInRoot(linux, root, '/etc/passwd');

test('a file is read, also through links inside the root', (t) => {
  const root = testRoot(t);
  mkdirSync(join(root, 'usr'));
  writeFileSync(join(root, 'usr/passwd'), 'root:x:0:0');
  symlinkSync('/usr/passwd', join(root, 'etc/passwd'));
  t.is(read(root), 'root:x:0:0');
});

for (const target of ['../../canary', '../../../../../../../../canary', '/proc/self/environ', '/etc/hostname'])
  test(`a link to ${target} does not leave the root`, (t) => {
    const root = testRoot(t);
    symlinkSync(target, join(root, 'etc/passwd'));
    t.is(read(root), '');
  });

test('a missing file, a loop, a folder and a FIFO are empty', (t) => {
  const root = testRoot(t);
  const path = join(root, 'etc/passwd');
  t.is(read(root), '');
  symlinkSync('passwd', path);
  t.is(read(root), '');
  rmSync(path);
  mkdirSync(path);
  t.is(read(root), '');
  rmSync(path, { recursive: true });
  linux.mknod(path, 0o010600, 0);
  t.is(read(root), '');
});

test('no more than a megabyte is read', (t) => {
  const root = testRoot(t);
  writeFileSync(join(root, 'etc/passwd'), 'x'.repeat(3_000_000));
  t.is(read(root).length, 1024 * 1024);
});
