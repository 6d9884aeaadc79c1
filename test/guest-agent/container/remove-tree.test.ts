import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { removeTree } from '../../../guest-agent/container/remove-tree.ts';

function testFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nest-tree-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('links are deleted, what they lead to is not', async (t) => {
  const folder = testFolder(t);
  const kept = join(folder, 'kept');
  writeFileSync(kept, 'canary');
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'deep'), { recursive: true });
  symlinkSync(kept, join(tree, 'deep/file'));
  symlinkSync(folder, join(tree, 'deep/folder'));
  await removeTree(tree);
  t.false(existsSync(tree));
  t.is(readFileSync(kept, 'utf8'), 'canary');
});

test('folders nested deeper than a path can name are deleted', async (t) => {
  const tree = join(testFolder(t), 'tree');
  mkdirSync(tree);
  const name = 'n'.repeat(100);
  // Only steps that name one folder reach that deep.
  const script = `for (let i = 0; i < 100; i++) { fs.mkdirSync('${name}'); process.chdir('${name}'); }`;
  execFileSync(process.execPath, ['-e', script], { cwd: tree });
  await removeTree(tree);
  t.false(existsSync(tree));
});

test('an absent tree is deleted already', async (t) => {
  await t.notThrowsAsync(removeTree(join(testFolder(t), 'absent')));
});
