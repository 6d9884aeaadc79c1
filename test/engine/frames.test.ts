import test from 'ava';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { FRAME_LIMIT } from '../../guest-agent/api.ts';
import { checkedFrames } from '../../src/engine/containers/frames.ts';
import { frame } from './fake-agent.ts';

const both = { stdout: true, stderr: true };
const checked = (bytes: Buffer, size: number, selected = both) =>
  buffer(checkedFrames(Readable.from(chunks(bytes, size)), selected));

function* chunks(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const STREAM = Buffer.concat([frame(1, 'out'), frame(2, ''), frame(2, 'error'), frame(1, 'x'.repeat(FRAME_LIMIT))]);

for (const size of [1, 3, 8, 11, 70_000])
  test(`frames pass unchanged in chunks of ${size} bytes`, async (t) => {
    t.deepEqual(await checked(STREAM, size), STREAM);
  });

test('only the selected stream passes', async (t) => {
  t.deepEqual(
    await checked(STREAM, 5, { stdout: false, stderr: true }),
    Buffer.concat([frame(2, ''), frame(2, 'error')]),
  );
});

for (const [what, bytes] of Object.entries({
  'a stream that is neither stdout nor stderr': '0000000000000001',
  'padding that is not zero': '0100010000000001',
  'a frame longer than the limit': '0100000000010001',
}))
  test(`${what} ends the output with an error`, async (t) => {
    await t.throwsAsync(checked(Buffer.from(bytes, 'hex'), 8), { message: `read output: not a frame: ${bytes}` });
  });
