import { execFileSync } from 'node:child_process';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import test from 'ava';
import { decompressed } from '../../src/images/decompress.ts';
import { streamOf } from '../helpers/images.ts';

const TEXT = Buffer.from('one two three '.repeat(5000));
const SKIPPABLE = Buffer.concat([Buffer.from('502a4d1804000000', 'hex'), Buffer.from('meta')]);

async function all(data: Buffer, chunk: number): Promise<Buffer> {
  return collect(decompressed(streamOf(data, chunk)));
}

async function collect(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const part of parts) chunks.push(part);
  return Buffer.concat(chunks);
}

const packed = (program: string, data: Buffer) => execFileSync(program, ['-c'], { input: data });

const same = test.macro<[string, Buffer, Buffer]>({
  async exec(t, _, data, expected) {
    for (const chunk of [1, 1000, 1_000_000]) t.deepEqual(await all(data, chunk), expected);
  },
  title: (_, what) => `${what} comes out whole`,
});

test(same, 'plain data', TEXT, TEXT);
test(same, 'no data', Buffer.alloc(0), Buffer.alloc(0));
test(same, 'a single byte', Buffer.from('\x1f'), Buffer.from('\x1f'));
test(same, 'gzip', gzipSync(TEXT), TEXT);
test(same, 'gzip in two members', Buffer.concat([gzipSync(TEXT), gzipSync(TEXT)]), Buffer.concat([TEXT, TEXT]));
test(same, 'zstd', zstdCompressSync(TEXT), TEXT);
test(
  same,
  'zstd in several frames with metadata between them',
  Buffer.concat([zstdCompressSync(TEXT), SKIPPABLE, zstdCompressSync(TEXT), SKIPPABLE]),
  Buffer.concat([TEXT, TEXT]),
);
test(same, 'xz', packed('xz', TEXT), TEXT);
test(same, 'bzip2', packed('bzip2', TEXT), TEXT);
test(same, 'nothing as bzip2', packed('bzip2', Buffer.alloc(0)), Buffer.alloc(0));
test(
  same,
  'what only begins like bzip2',
  Buffer.from('BZh9 is the name of a file'),
  Buffer.from('BZh9 is the name of a file'),
);

const damaged = test.macro<[string, Buffer]>({
  async exec(t, _, data) {
    await t.throwsAsync(all(data, 1000), { name: 'MalformedTar' });
  },
  title: (_, what) => `${what} is refused`,
});

test(damaged, 'gzip cut short', gzipSync(TEXT).subarray(0, -4));
test(damaged, 'gzip with a changed byte', gzipSync(TEXT).fill(0xff, 40, 50));
test(damaged, 'zstd cut short', zstdCompressSync(TEXT).subarray(0, -4));
test(damaged, 'zstd followed by something else', Buffer.concat([zstdCompressSync(TEXT), TEXT]));
test(damaged, 'xz cut short', packed('xz', TEXT).subarray(0, -4));
test(damaged, 'bzip2 with a changed byte', packed('bzip2', TEXT).fill(0xff, 40, 50));

test('a source that breaks off fails with its own error, not as damaged data', async (t) => {
  const half = packed('xz', TEXT).subarray(0, 40);
  async function* breaking(): AsyncGenerator<Buffer> {
    yield half;
    await Promise.resolve();
    throw new Error('the registry has gone');
  }
  await t.throwsAsync(collect(decompressed(breaking())), { message: 'the registry has gone' });
});

test.serial('a host without the program is told which package to install, and goes on', async (t) => {
  const data = packed('bzip2', TEXT);
  const before = process.env['PATH'];
  t.teardown(() => (process.env['PATH'] = before));
  process.env['PATH'] = '';
  await t.throwsAsync(all(data, 1000), { code: 'tool-missing' } as object);
  // A rejection that nobody takes would end this process in the next turn.
  await new Promise((resolve) => setImmediate(resolve));
});
