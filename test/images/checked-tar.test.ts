import test from 'ava';
import { MalformedTar } from '../../guest-agent/tar/entry.ts';
import { readTar } from '../../guest-agent/tar/reader.ts';
import { checkedTar } from '../../src/images/checked-tar.ts';
import { LAYER_LIMITS } from '../../src/images/limits.ts';
import { streamOf, tarOf, type TarEntry } from '../helpers/images.ts';

async function names(
  entries: TarEntry[],
  ...options: Parameters<typeof checkedTar> extends [unknown, ...infer R] ? R : never
) {
  const result: string[] = [];
  for await (const { entry, body } of readTar(checkedTar(streamOf(await tarOf(entries), 100), ...options))) {
    let size = 0;
    for await (const chunk of body) size += chunk.length;
    result.push(`${entry.name} ${size}`);
  }
  return result;
}

test('an honest archive comes out as it went in', async (t) => {
  t.deepEqual(await names([{ name: 'd/' }, { name: 'd/f', content: 'x'.repeat(1000) }]), ['d/ 0', 'd/f 1000']);
});

test('entries can be changed and left out', async (t) => {
  const entries = [
    { name: 'keep', content: 'k' },
    { name: 'secret', content: 's' },
  ];
  t.deepEqual(await names(entries, (entry) => (entry.name === 'secret' ? undefined : { ...entry, mtime: 0 })), [
    'keep 1',
  ]);
});

for (const [title, entries] of [
  ['a name with ..', [{ name: '../evil', content: '' }]],
  ['an absolute name', [{ name: '/etc/evil', content: '' }]],
  [
    'a file below a link',
    [
      { name: 'l', type: 'symlink', linkname: '/etc' },
      { name: 'l/evil', content: '' },
    ],
  ],
  ['a hard link to what is not in the archive', [{ name: 'h', type: 'link', linkname: 'etc/passwd' }]],
] as [string, TarEntry[]][])
  test(`${title} is refused`, (t) => t.throwsAsync(names(entries), { instanceOf: MalformedTar }));

test('an archive that is too large is refused', (t) =>
  t.throwsAsync(names([{ name: 'f', content: '123' }], undefined, { ...LAYER_LIMITS, size: 2 }), {
    message: /more than 2 bytes/,
  }));
