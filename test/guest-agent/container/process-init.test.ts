import test from 'ava';
import { processInit } from '../../../guest-agent/container/process-init.ts';

const IDENTITY = { uid: 1000, gid: 1000, groups: [], home: '/home/web' };
const SPEC = { argv: ['sh'], env: ['PATH=/bin'], cwd: '/', user: 'web', stdin: false };
const CONTAINER = { security: { seccomp: 'unconfined' as const } };
const SIZE = { rows: 24, columns: 80 };

test("HOME is the user's, and a process with a terminal has an xterm", (t) => {
  t.deepEqual(processInit(SPEC, CONTAINER, IDENTITY).env, ['PATH=/bin', 'HOME=/home/web']);
  const { env } = processInit({ ...SPEC, terminal: SIZE }, CONTAINER, IDENTITY);
  t.deepEqual(env, ['PATH=/bin', 'HOME=/home/web', 'TERM=xterm']);
});

test('what image or user have set stays', (t) => {
  const env = ['TERM=vt100', 'HOME=/srv'];
  t.deepEqual(processInit({ ...SPEC, env, terminal: SIZE }, CONTAINER, IDENTITY).env, env);
});
