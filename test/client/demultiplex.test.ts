import { Readable } from 'node:stream';
import test from 'ava';
import { demultiplex, frames } from '../../src/client/demultiplex.ts';
import { Capture, captured } from '../../src/client/output.ts';
import { frame } from './fake-engine.ts';

async function read(chunks: Buffer[]): Promise<unknown> {
  const sinks = { stdout: new Capture(), stderr: new Capture() };
  await demultiplex(Readable.from(chunks), sinks);
  return captured(sinks);
}

const both = Buffer.concat([frame(1, 'out'), frame(2, 'err'), frame(1, ''), frame(1, 'more')]);

test('stdout and stderr are told apart', async (t) => {
  t.deepEqual(await read([both]), { stdout: 'outmore', stderr: 'err', truncated: false });
});

test('frames may be cut anywhere', async (t) => {
  const single = Array.from(both, (byte) => Buffer.from([byte]));
  t.deepEqual(await read(single), { stdout: 'outmore', stderr: 'err', truncated: false });
});

test('a frame is handed on before it is complete', async (t) => {
  const source = new Readable({ read: () => undefined });
  source.push(frame(1, 'x'.repeat(100)).subarray(0, 18));
  for await (const { data } of frames(source)) {
    t.is(data.length, 10);
    break;
  }
});

test('bytes that are no frames are an error', async (t) => {
  await t.throwsAsync(read([Buffer.from('plain text, no frames')]), { name: 'NestError' });
});

test('a capture is bounded and says so', async (t) => {
  const capture = new Capture();
  for (let i = 0; i < 9; i++) await capture.write(Buffer.alloc(1024 ** 2));
  t.is(capture.text.length, 8 * 1024 ** 2);
  t.true(capture.truncated);
});
