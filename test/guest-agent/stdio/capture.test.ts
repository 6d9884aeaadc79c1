import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { captureFifo } from '../../../guest-agent/stdio/capture.ts';
import { fakeKernel } from '../fake-kernel.ts';

function fifo(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nest-fifo-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'stdout');
  fakeKernel(folder).mkfifo(path, 0o600);
  return path;
}

test('finish hands over what was written last', (t) => {
  const path = fifo(t);
  let text = '';
  const capture = captureFifo(path, (chunk) => (text += chunk.toString()));
  const writer = openSync(path, 'w');
  writeSync(writer, 'last words');
  closeSync(writer);
  capture.finish();
  t.is(text, 'last words');
  capture.finish();
  t.is(text, 'last words', 'finishing again changes nothing');
});

test('a paused capture reads nothing: the writer waits', async (t) => {
  const path = fifo(t);
  let length = 0;
  const capture = captureFifo(path, (chunk) => (length += chunk.length));
  capture.pause();
  const writer = openSync(path, 'w');
  const child = spawn('head', ['-c', '1000000', '/dev/zero'], { stdio: ['ignore', writer, 'inherit'] });
  closeSync(writer);
  await once(child, 'spawn');
  t.is(length, 0);
  t.is(child.exitCode, null);
  capture.resume();
  await once(child, 'exit');
  capture.finish();
  t.is(length, 1_000_000);
});

test('a process that never stops writing does not keep finish from its end', async (t) => {
  const path = fifo(t);
  const capture = captureFifo(path, () => {});
  const writer = openSync(path, 'w');
  const child = spawn('cat', ['/dev/zero'], { stdio: ['ignore', writer, 'ignore'] });
  closeSync(writer);
  await once(child, 'spawn');
  capture.finish();
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.pass();
});
