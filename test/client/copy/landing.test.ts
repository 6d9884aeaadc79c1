import test from 'ava';
import { archiveName, landing } from '../../../src/client/copy/landing.ts';

for (const [source, folder, target, kind, expected] of [
  ['a/f', false, '/new', 'none', { folder: '/', name: 'new' }],
  ['a/f', false, '/x/f2', 'file', { folder: '/x', name: 'f2' }],
  ['a/f', false, '/x/', 'folder', { folder: '/x/', name: 'f' }],
  ['a/d', true, '/x/new', 'none', { folder: '/x', name: 'new' }],
  ['a/d', true, '/x/new/', 'none', { folder: '/x', name: 'new' }],
  ['a/d/', true, '/x', 'folder', { folder: '/x', name: 'd' }],
  ['a/d/.', true, '/x', 'folder', { folder: '/x', name: '.' }],
  ['.', true, 'new', 'none', { folder: '.', name: 'new' }],
] as const)
  test(`${source} to ${target} (${kind})`, (t) => {
    t.deepEqual(landing({ path: source, folder }, { path: target, kind }), expected);
  });

for (const [source, folder, target, kind, message] of [
  ['f', false, '/x/', 'none', /no such folder/],
  ['f', false, '/x/', 'file', /no folder/],
  ['d', true, '/x', 'file', /cannot take the place of a file/],
] as const)
  test(`${source} to ${target} (${kind}) is refused`, (t) => {
    t.throws(() => landing({ path: source, folder }, { path: target, kind }), { message });
  });

test('the contents of a folder are archived under no name', (t) => {
  t.deepEqual(['/a/b', '/a/b/', '/a/b/.', '/', '.'].map(archiveName), ['b', '.', '.', '.', '.']);
});
