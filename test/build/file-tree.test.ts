import test from 'ava';
import { resolve } from '../../src/build/file-tree.ts';
import { glob } from '../../src/build/glob.ts';
import { ignoreFiles } from '../../src/build/ignore.ts';
import { link, treeOf } from './trees.ts';

test('links are followed inside the tree and nowhere else', async (t) => {
  const tree = await treeOf(t, [
    { name: 'etc/passwd', content: 'inside' },
    link('up', '../../../../etc'),
    link('abs', '/etc/passwd'),
    link('loop', 'loop'),
    link('chain', 'up/passwd'),
  ]);
  for (const path of ['up/passwd', 'abs', 'chain', '/../../etc/passwd'])
    t.deepEqual(resolve(tree, path).parts, ['etc', 'passwd'], path);
  t.is(resolve(tree, 'abs', false).node?.entry.type, 'symlink');
  t.is(resolve(tree, 'none/there').node, undefined);
  t.deepEqual(resolve(tree, 'up/new/file').parts, ['etc', 'new', 'file']);
  t.throws(() => resolve(tree, 'loop/x'), { message: /too many links/ });
});

test('a context whose names leave it is refused', async (t) => {
  await t.throwsAsync(treeOf(t, [{ name: '../evil' }]), { message: /leaves the archive/ });
  await t.throwsAsync(treeOf(t, [{ name: '/evil' }]), { message: /evil/ });
  await t.throwsAsync(treeOf(t, [link('l', '/etc'), { name: 'l/evil' }]), { message: /no directory/ });
  await t.throwsAsync(treeOf(t, [{ name: 'h', type: 'link', linkname: '../../etc/passwd' }]), {
    message: /no such file/,
  });
});

test('patterns match names, one component at a time', async (t) => {
  const tree = await treeOf(
    t,
    ['a.txt', 'b.txt', 'c.md', 'd/e.txt', 'x*y'].map((name) => ({ name })),
  );
  const names = (pattern: string) => glob(tree, pattern).map(({ name }) => name);
  t.deepEqual(names('*.txt'), ['a.txt', 'b.txt']);
  t.deepEqual(names('?.md'), ['c.md']);
  t.deepEqual(names('[ab].txt'), ['a.txt', 'b.txt']);
  t.deepEqual(names('[^a].txt'), ['b.txt']);
  t.deepEqual(names('*/*.txt'), ['e.txt']);
  t.deepEqual(names('x\\*y'), ['x*y']);
  t.deepEqual(names('none*'), []);
});

test('.dockerignore takes files out, exceptions stay with the folders above them', async (t) => {
  const tree = await treeOf(t, [
    { name: '.dockerignore', content: '# comment\n**/*.log\nnode_modules\n!node_modules/keep/me\n/top\n' },
    ...['a.log', 'd/b.log', 'd/c', 'node_modules/x', 'node_modules/keep/me', 'top', 'd/top'].map((name) => ({ name })),
  ]);
  await ignoreFiles(tree);
  const found = (path: string) => resolve(tree, path).node !== undefined;
  for (const path of ['d/c', 'node_modules/keep/me', 'd/top', '.dockerignore']) t.true(found(path), path);
  for (const path of ['a.log', 'd/b.log', 'node_modules/x', 'top']) t.false(found(path), path);
});
