import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type OutputStream, STDERR, STDOUT } from '../../../guest-agent/stdio/frame.ts';
import { openLog } from '../../../guest-agent/stdio/log-file.ts';
import { logOutput, type LogQuery } from '../../../guest-agent/stdio/log-output.ts';
import { logStart, readLog } from '../../../guest-agent/stdio/log-reader.ts';
import { framed, readAll } from '../client.ts';

const ALL: LogQuery = {
  stdout: true,
  stderr: true,
  tail: undefined,
  since: 0,
  until: Number.POSITIVE_INFINITY,
  timestamps: false,
};

/** A log whose segments hold `limit` bytes. */
function testLog(t: ExecutionContext, limit?: number, files = 2) {
  const folder = mkdtempSync(join(tmpdir(), 'nest-log-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const log = openLog(folder, limit === undefined ? undefined : { size: limit, files });
  return {
    folder,
    log,
    write: (text: string | Buffer, stream: OutputStream = STDOUT, time = 1) =>
      log.append(time, stream, Buffer.from(text)),
    read: async (query: Partial<LogQuery> = {}, stream: OutputStream = STDOUT) =>
      framed(await readAll(logOutput(folder, log, { ...ALL, ...query })), stream),
  };
}

test('any bytes come back as they were written', async (t) => {
  const { folder, log, write } = testLog(t);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  write(bytes);
  const output = await readAll(logOutput(folder, log, ALL));
  t.deepEqual(output.subarray(8), bytes);
});

test('a full segment is followed by the next, and only the newest two are kept', async (t) => {
  const { folder, write, read } = testLog(t, 1000);
  const lines = Array.from({ length: 200 }, (_, i) => `line ${i}\n`);
  for (const line of lines) write(line);
  const kept = await read();
  t.is(readdirSync(folder).length, 2);
  t.true(kept.length < 200 * 9);
  t.is(
    kept,
    lines.slice(-kept.split('\n').length + 1).join(''),
    'the kept part has no gap and ends with the last line',
  );
});

test('the last lines are found across blocks, segments and streams', async (t) => {
  const { write, read } = testLog(t, 100_000);
  const lines = Array.from({ length: 30_000 }, (_, i) => `${i}\n`);
  for (let i = 0; i < lines.length; i += 100) {
    write(lines.slice(i, i + 100).join(''));
    write('noise\n', STDERR);
  }
  for (const tail of [0, 1, 99, 100, 101, 5_000])
    t.is(await read({ tail, stderr: false }), tail === 0 ? '' : lines.slice(-tail).join(''), `tail ${tail}`);
  t.is(await read({ tail: 1 }, STDERR), 'noise\n');
});

test('a last line without an end counts as a line', async (t) => {
  const { write, read } = testLog(t);
  write('one\ntwo\nthr');
  write('ee');
  t.is(await read({ tail: 1 }), 'three');
  t.is(await read({ tail: 2 }), 'two\nthree');
});

test('a line that comes in pieces is stamped once', async (t) => {
  const { write, read } = testLog(t);
  write('a', STDOUT, 1000);
  write('b\nc', STDOUT, 2000);
  write('d\n', STDOUT, 3000);
  t.is(await read({ timestamps: true }), '1970-01-01T00:00:01.000000000Z ab\n1970-01-01T00:00:02.000000000Z cd\n');
});

test('since and until select by time, both inclusive', async (t) => {
  const { write, read } = testLog(t);
  for (const time of [1, 2, 3, 4]) write(`${time}\n`, STDOUT, time);
  t.is(await read({ since: 2, until: 3 }), '2\n3\n');
  t.is(await read({ since: 2, tail: 2 }), '3\n4\n');
});

test('an entry that a crash left incomplete costs only itself', async (t) => {
  const { folder, log, write, read } = testLog(t);
  write('before\n');
  log.close();
  appendFileSync(join(folder, '1.jsonl'), '{"t":1,"s":1,"d":"hal');
  const reopened = openLog(folder);
  reopened.append(2, STDOUT, Buffer.from('after\n'));
  t.is(await read(), 'before\nafter\n');
  t.false(readFileSync(join(folder, '1.jsonl'), 'utf8').includes('hal'));
});

test('a follower sees every line once while segments rotate under it', async (t) => {
  const { folder, log, write } = testLog(t, 2000);
  const over = new AbortController();
  const lines = Array.from({ length: 500 }, (_, i) => `${i}\n`);
  let text = '';
  let written = 0;
  write(lines[written++] ?? '');
  for await (const entries of readLog(folder, log, logStart(folder), over.signal)) {
    text += entries.map((entry) => entry.data).join('');
    // As fast as it reads: nothing that it has not read is rotated away.
    for (const line of lines.slice(written, written + 7)) write(line);
    written += 7;
    if (written >= lines.length) over.abort();
  }
  t.is(text, lines.join(''));
});

test('an open follower ends when it is told so, having read the rest', async (t) => {
  const { folder, log, write } = testLog(t);
  const over = new AbortController();
  const following = readAll(logOutput(folder, log, ALL, over.signal));
  write('late\n');
  over.abort();
  t.is(framed(await following, STDOUT), 'late\n');
});

test('as many files are kept as were asked for', async (t) => {
  const { write, folder, read } = testLog(t, 100, 1);
  for (let line = 0; line < 20; line += 1) write(`line ${line}\n`);
  t.is(readdirSync(folder).length, 1);
  t.regex(await read(), /line 19\n$/);
});
