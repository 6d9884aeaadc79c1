import test, { type ExecutionContext } from 'ava';
import { placeCopies } from '../../src/build/copy.ts';
import { glob } from '../../src/build/glob.ts';
import { link, treeOf } from './trees.ts';

const BASE = [{ name: 'etc/', mode: 0o700, uid: 5 }, { name: 'usr/lib/' }, link('lib', 'usr/lib'), { name: 'file' }];

async function copied(
  t: ExecutionContext,
  pattern: string,
  target: string,
  owner: { uid: number; gid: number } | undefined = { uid: 0, gid: 0 },
) {
  const context = await treeOf(t, [
    { name: 'a', uid: 9 },
    { name: 'b' },
    { name: 'd/x/y', uid: 9 },
    { name: 'd/z', mode: 0o600 },
    link('l', 'a'),
    link('d/l', 'z'),
  ]);
  const root = await treeOf(t, BASE);
  const placed = placeCopies(root, glob(context, pattern), { target, owner, chown: false, mode: undefined, now: 1 });
  return [...placed]
    .map(([path, { entry }]) => `${path} ${entry.type[0] ?? ''}${entry.mode.toString(8)} ${entry.uid}`)
    .sort();
}

test('a file becomes the target, or goes into a folder', async (t) => {
  t.deepEqual(await copied(t, 'a', '/new'), ['new f644 0']);
  t.deepEqual(await copied(t, 'a', '/new/'), ['new d755 0', 'new/a f644 0']);
  t.deepEqual(await copied(t, 'a', '/etc'), ['etc d700 5', 'etc/a f644 0'], 'folders that are there stay as they are');
});

test('of a folder the content is copied', async (t) => {
  t.deepEqual(
    await copied(t, 'd', '/etc'),
    ['etc d700 5', 'etc/l s644 0', 'etc/x d755 0', 'etc/x/y f644 0', 'etc/z f600 0'].sort(),
  );
});

test('a source that is a link is followed, links in a folder stay links', async (t) => {
  t.deepEqual(await copied(t, 'l', '/new'), ['new f644 0']);
});

test('links of the image are followed on the way to the target', async (t) => {
  t.deepEqual(await copied(t, 'a', '/lib/'), ['usr d755 0', 'usr/lib d755 0', 'usr/lib/a f644 0']);
});

test('what comes from another stage keeps its owner', async (t) => {
  const context = await treeOf(t, [{ name: 'a', uid: 9 }]);
  const placed = placeCopies(await treeOf(t, []), glob(context, 'a'), {
    target: '/a',
    owner: undefined,
    chown: false,
    mode: 0o750,
    now: 1,
  });
  t.like(placed.get('a')?.entry, { uid: 9, mode: 0o750 });
});

test('several files need a folder', (t) =>
  t.throwsAsync(copied(t, '[ab]', '/new'), { message: /must be a directory/ }));
test('a folder does not go over a file', (t) => t.throwsAsync(copied(t, 'd', '/file'), { message: /over `\/file`/ }));
test('nothing goes below a file', (t) => t.throwsAsync(copied(t, 'a', '/file/x'), { message: /over `\/file`/ }));
test('a file does not go over a folder', async (t) => {
  const context = await treeOf(t, [{ name: 'd/etc' }]);
  const root = await treeOf(t, BASE);
  const options = { target: '/', owner: undefined, chown: false, mode: undefined, now: 1 };
  t.throws(() => placeCopies(root, glob(context, 'd'), options), { message: /cannot overwrite directory `\/etc`/ });
});
