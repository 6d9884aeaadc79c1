import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { STDOUT } from '../../../guest-agent/stdio/frame.ts';
import { type LogFile, openLog, segmentPath } from '../../../guest-agent/stdio/log-file.ts';
import { logOutput } from '../../../guest-agent/stdio/log-output.ts';
import { openUnlogged } from '../../../guest-agent/stdio/unlogged.ts';
import { linux } from '../../../guest-agent/sys/sys.ts';
import { framed, readAll } from '../client.ts';

const CLOCK = { now: () => 1 };
const QUERY = { stdout: true, stderr: true, tail: undefined, since: 0, until: 2, timestamps: false };

/** A killed agent does nothing more: each test goes on with another that opens the same files. */
function folder(t: ExecutionContext, limits = { size: 1000, files: 5 }) {
  const path = mkdtempSync(join(tmpdir(), 'nest-unlogged-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  const logs = join(path, 'log');
  const open = (log: LogFile = openLog(logs, limits)) => {
    const unlogged = openUnlogged(linux, join(path, 'stdout.unlogged'), STDOUT);
    t.teardown(() => unlogged.close());
    unlogged.connect(log, CLOCK);
    return unlogged;
  };
  return {
    log: () => openLog(logs, limits),
    segment: (number: number) => segmentPath(logs, number),
    open,
    /** As the kernel does it. */
    read: (text: string, unlogged = open()) => unlogged.buffer.subarray(0, unlogged.buffer.write(text, 'latin1')),
    logged: async () => framed(await readAll(logOutput(logs, openLog(logs, limits), QUERY)), STDOUT),
  };
}

const killed = () => {
  throw new Error('killed');
};

test('what was received is logged, and nothing of it is left to recover', async (t) => {
  const { open, read, logged } = folder(t);
  const unlogged = open();
  unlogged.receive(read('one\n', unlogged));
  unlogged.receive(read('2\n', unlogged));
  t.true(unlogged.buffer.every((byte) => byte === 0));
  open().recover();
  t.is(await logged(), 'one\n2\n');
});

test('an agent that was killed after it had read', async (t) => {
  const { open, read, logged } = folder(t);
  read('a\0b\n');
  open().recover();
  open().recover();
  t.is(await logged(), 'a\0b\n');
});

test('an agent that was killed before it wrote to the log', async (t) => {
  const { log, open, read, logged } = folder(t);
  const unlogged = open({ ...log(), append: killed });
  t.throws(() => unlogged.receive(read('ends with NUL\0', unlogged)));
  open().recover();
  open().recover();
  t.is(await logged(), 'ends with NUL\0');
});

test('an agent that was killed in the middle of its write', async (t) => {
  const { log, open, read, segment, logged } = folder(t);
  const first = open();
  first.receive(read('first\n', first));
  const unlogged = open({
    ...log(),
    append() {
      appendFileSync(segment(1), '{"t":1,"s":1,"d":"sec');
      killed();
    },
  });
  t.throws(() => unlogged.receive(read('second\n', unlogged)));
  open().recover();
  t.is(await logged(), 'first\nsecond\n');
});

test('an agent that was killed when it had written', async (t) => {
  const { log, open, read, logged } = folder(t);
  const real = log();
  const unlogged = open({
    ...real,
    append(...entry) {
      real.append(...entry);
      killed();
    },
  });
  t.throws(() => unlogged.receive(read('once\n', unlogged)));
  open().recover();
  t.is(await logged(), 'once\n');
});

test('an agent that was killed between a new segment and its first entry, or after that', async (t) => {
  for (const written of [false, true]) {
    const { log, open, read, segment, logged } = folder(t, { size: 1, files: 5 });
    const real = log();
    const first = open(real);
    first.receive(read('first\n', first));
    const unlogged = open({
      ...real,
      append(...entry) {
        if (written) real.append(...entry);
        else appendFileSync(segment(2), '');
        killed();
      },
    });
    t.throws(() => unlogged.receive(read('second\n', unlogged)));
    open().recover();
    t.is(await logged(), 'first\nsecond\n');
  }
});

test('one that was killed while it cleared what it had logged', async (t) => {
  const { log, open, read, logged } = folder(t);
  const unlogged = open(log());
  const chunk = read('once\n', unlogged);
  const fill = t.throws(() => unlogged.receive(Object.assign(chunk, { fill: killed })));
  t.is(fill.message, 'killed');
  chunk.copy(unlogged.buffer.subarray(2)); // The first bytes are cleared.
  open().recover();
  t.is(await logged(), 'once\n');
});
