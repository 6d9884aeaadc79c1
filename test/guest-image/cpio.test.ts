import test from 'ava';
import { cpio, S_IFDIR, S_IFREG } from '../../src/guest-image/cpio.ts';

test('an archive has a header, a padded name and padded content for each entry, and a trailer', (t) => {
  const archive = cpio([{ path: 'init', mode: S_IFREG | 0o755, content: Buffer.from('hello') }]);
  const header = archive.toString('latin1', 0, 110);
  t.is(header.slice(0, 6), '070701');
  t.is(header.slice(14, 22), '000081ed', 'mode of a regular file, 0755');
  t.is(header.slice(54, 62), '00000005', 'size of the content');
  t.is(archive.toString('latin1', 110, 116), 'init\0\0', 'name ends on a multiple of four');
  t.is(archive.toString('latin1', 116, 124), 'hello\0\0\0');
  t.true(archive.includes('TRAILER!!!'));
  t.is(archive.length % 512, 0);
});

test('an archive tells nothing about when and by whom it was made', (t) => {
  const archive = cpio([{ path: 'dev', mode: S_IFDIR | 0o755, content: Buffer.alloc(0) }]);
  const field = (index: number) => Number.parseInt(archive.toString('latin1', 6 + index * 8, 14 + index * 8), 16);
  t.deepEqual([field(2), field(3), field(5)], [0, 0, 0], 'uid, gid, mtime');
});
