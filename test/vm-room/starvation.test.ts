import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import test from 'ava';
import { readWaits, starvedFor } from '../../src/vm/starvation.ts';
import { until } from '../helpers/until.ts';

test('the thread that waited longest tells how long a process was kept waiting', (t) => {
  const before = new Map([
    ['1', 100],
    ['2', 500],
  ]);
  const after = new Map([
    ['1', 400],
    ['2', 600],
    ['3', 9_000],
  ]);
  t.is(starvedFor(before, after), 300, 'a new thread has no before');
  t.is(starvedFor(new Map(), after), 0);
  t.is(starvedFor(before, new Map()), 0);
});

test('where more run than there are processors, one waits, says the kernel', async (t) => {
  const spin = () => spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
  const spinners = Array.from({ length: availableParallelism() + 1 }, spin);
  t.teardown(() => spinners.forEach((child) => child.kill('SIGKILL')));
  const pid = spinners[0]?.pid ?? 0;
  const before = await readWaits(pid);
  t.is(before.size, 1);
  await until('it to wait', async () => starvedFor(before, await readWaits(pid)) > 50);
});

test('of a process that does not run nothing is known', async (t) => {
  t.is((await readWaits(2 ** 30)).size, 0);
});
