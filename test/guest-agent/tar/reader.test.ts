import test from 'ava';
import { pack } from 'tar-stream';
import { type TarEntry, tarEntry } from '../../../guest-agent/tar/entry.ts';
import { encodePax } from '../../../guest-agent/tar/pax.ts';
import { readTar } from '../../../guest-agent/tar/reader.ts';
import { tarEnd, tarHeader } from '../../../guest-agent/tar/writer.ts';
import { streamOf, tarOf } from '../../helpers/images.ts';

const FILE = tarEntry({ name: 'file', type: 'file', mode: 0o644 });

async function read(tar: Buffer, chunk = tar.length): Promise<{ entry: TarEntry; body: string }[]> {
  const items: { entry: TarEntry; body: string }[] = [];
  for await (const { entry, body } of readTar(streamOf(tar, chunk))) {
    const chunks: Buffer[] = [];
    for await (const part of body) chunks.push(part);
    items.push({ entry, body: Buffer.concat(chunks).toString() });
  }
  return items;
}

test('what another implementation packed is read whole, in chunks of any size', async (t) => {
  const tar = await tarOf([
    { name: 'dir/', mode: 0o1777, uid: 7 },
    { name: 'dir/a', content: 'hello', mode: 0o4755, mtime: new Date(1234_000) },
    { name: `${'long/'.repeat(40)}name`, content: 'x'.repeat(1500) },
    { name: 'link', type: 'symlink', linkname: 'dir/a' },
    { name: 'hard', type: 'link', linkname: 'dir/a' },
    { name: 'null', type: 'character-device', devmajor: 1, devminor: 3 },
  ]);
  for (const chunk of [1, 511, 513, tar.length]) {
    const items = await read(tar, chunk);
    t.deepEqual(
      items.map(({ entry }) => [entry.name, entry.type, entry.linkName]),
      [
        ['dir/', 'directory', ''],
        ['dir/a', 'file', ''],
        [`${'long/'.repeat(40)}name`, 'file', ''],
        ['link', 'symlink', 'dir/a'],
        ['hard', 'hard-link', 'dir/a'],
        ['null', 'character-device', ''],
      ],
    );
    t.like(items[1], { entry: { mode: 0o4755, mtime: 1234 }, body: 'hello' });
    t.is(items[2]?.body, 'x'.repeat(1500));
    t.like(items[5]?.entry, { deviceMajor: 1, deviceMinor: 3 });
  }
});

test('writing and reading keeps bytes: names, attributes, large owners', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const entry: TarEntry = {
    ...FILE,
    name: `caf\u00e9\n\u00ff/${'n'.repeat(120)}`,
    uid: 4_000_000_000,
    gid: 3_000_000,
    xattrs: new Map([
      ['security.capability', Buffer.from('01000002002080ff000000000000000000000000', 'hex')],
      ['user.bytes', bytes],
      ['user.empty', Buffer.alloc(0)],
    ]),
  };
  const [item] = await read(Buffer.concat([tarHeader(entry), tarEnd()]));
  t.deepEqual(item?.entry, entry);
});

test('a size beyond eight gigabytes survives', async (t) => {
  const size = 9 * 1024 ** 3;
  const items = readTar(streamOf(tarHeader({ ...FILE, size }), 512));
  const first = await items.next();
  t.is(first.done === true ? undefined : first.value.entry.size, size);
});

test('what a consumer leaves of a file is skipped', async (t) => {
  const tar = await tarOf([
    { name: 'a', content: 'x'.repeat(2000) },
    { name: 'b', content: 'y' },
  ]);
  const names: string[] = [];
  for await (const { entry } of readTar(streamOf(tar, 700))) names.push(entry.name);
  t.deepEqual(names, ['a', 'b']);
});

test('the source is read to its end, also behind the end of the archive', async (t) => {
  const tar = Buffer.concat([await tarOf([{ name: 'a', content: 'x' }]), Buffer.alloc(5000, 1)]);
  let seen = 0;
  async function* counted() {
    for await (const chunk of streamOf(tar, 1000)) {
      seen += chunk.length;
      yield chunk;
    }
  }
  for await (const { entry } of readTar(counted())) t.is(entry.name, 'a');
  t.is(seen, tar.length);
});

const broken = test.macro<[string, (tar: Buffer) => Buffer, RegExp]>({
  async exec(t, _, damage, message) {
    const tar = await tarOf([{ name: 'a', content: 'x'.repeat(600), pax: { comment: 'c' } }]);
    await t.throwsAsync(read(damage(tar)), { name: 'MalformedTar', message });
  },
  title: (_, what) => `${what} is refused`,
});

const FIRST_HEADER = 1024;
test(broken, 'a file cut short', (tar) => tar.subarray(0, FIRST_HEADER + 700), /middle of a file/);
test(broken, 'a header cut short', (tar) => tar.subarray(0, FIRST_HEADER + 100), /middle of a header/);
test(broken, 'a wrong checksum', (tar) => tar.fill('z', FIRST_HEADER, FIRST_HEADER + 1), /checksum/);
test(broken, 'text', () => Buffer.alloc(1024, 'text'), /checksum|no number/);
test(broken, 'a broken PAX record', (tar) => tar.fill('9', 512, 514), /PAX/);

test('a PAX record that reaches behind its header is refused', async (t) => {
  const pax = Buffer.from('99 path=x\n');
  const header = tarHeader({ ...FILE, size: pax.length });
  header.write('x', 156);
  header.write('        ', 148);
  header.write(
    header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(7, '0') + '\0',
    148,
  );
  const tar = Buffer.concat([header, pax, Buffer.alloc(512 - pax.length), tarHeader(FILE), tarEnd()]);
  await t.throwsAsync(read(tar), { name: 'MalformedTar', message: /PAX/ });
});

test('sparse files are refused, however they are written', async (t) => {
  const tar = pack();
  tar.entry({ name: 'a', pax: { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' } }, 'x');
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  await t.throwsAsync(read(Buffer.concat(chunks)), { name: 'MalformedTar', message: /sparse/ });
});

test('a PAX record counts its own length', (t) => {
  const value = Buffer.alloc(90, 'v');
  t.is(encodePax(new Map([['k', value]])).toString(), `96 k=${value.toString()}\n`);
  t.is(
    encodePax(new Map([['k', Buffer.alloc(94, 'v')]]))
      .toString()
      .slice(0, 4),
    '101 ',
  );
});
