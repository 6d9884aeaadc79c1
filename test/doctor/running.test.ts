import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Writable } from 'node:stream';
import test from 'ava';
import { hostProbes } from '../../src/doctor/probes.ts';
import { until } from '../helpers/until.ts';

test('a process runs until it has ended, even when its parent does not wait for it', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-doctor-'));
  const program = path.join(folder, 'nest-doctor-cat');
  await copyFile('/bin/cat', program);
  // The shell becomes a program that waits for no child.
  const parent = spawn('bash', ['-c', '"$0" <&3 & exec tail -f /dev/null 3<&-', program], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  const { isRunning } = hostProbes();
  await until('the program to run', () => isRunning('nest-doctor-cat'));
  (parent.stdio[3] as Writable).end();
  await until('the program to have ended', async () => !(await isRunning('nest-doctor-cat')));
  parent.kill();
  await once(parent, 'exit');
  await rm(folder, { recursive: true });
  t.pass();
});
