import test from 'ava';
import { CLONE_NEWPID } from '../../../guest-agent/sys/constants.ts';
import type { Sys } from '../../../guest-agent/sys/sys.ts';
import type { Loop } from '../../../guest-agent/zygote/loop.ts';
import { trackProcesses } from '../../../guest-agent/zygote/processes.ts';
import type { FromZygote } from '../../../guest-agent/zygote/protocol.ts';
import { failing, recordingSys } from '../sys/recording-sys.ts';
import { containerInit, execInit } from './samples.ts';

const CGROUP = containerInit().cgroup;
const STATUS = 1000;
const PIDFD = 2000;

/** A zygote whose children have the numbers 0, 1, 2, …; the test says what becomes of them. */
function open(answers: Partial<Sys> = {}) {
  const told: FromZygote[] = [];
  const reports = new Map<number, string[]>();
  const ends = new Map<number, { code: number | null; signal: number | null }>();
  let born = 0;
  const { sys, calls } = recordingSys({
    pipe2: () => [STATUS + born, 900],
    fork: () => ({ pid: born, pidfd: PIDFD + born++ }),
    read(fd, buffer) {
      const text = reports.get(fd - STATUS)?.shift();
      return text === undefined ? null : Buffer.from(buffer.buffer).write(text, buffer.byteOffset);
    },
    wait: (pid) => ends.get(pid) ?? null,
    ...answers,
  });
  const handlers = new Map<number, (events: number) => void>();
  const loop: Loop = {
    watch: (fd, _, handle) => void handlers.set(fd, handle),
    change() {},
    unwatch: (fd) => void handlers.delete(fd),
    turn() {},
  };
  const processes = trackProcesses(sys, loop, [], (message) => told.push(message));
  return {
    processes,
    told,
    calls,
    handlers,
    reports: (child: number, ...texts: string[]) => {
      reports.set(child, [...texts]);
      handlers.get(STATUS + child)?.(1);
    },
    /** Without telling the zygote. */
    left: (child: number, ...texts: string[]) => void reports.set(child, texts),
    ends: (child: number, code: number | null, signal: number | null = null) => {
      ends.set(child, { code, signal });
      handlers.get(PIDFD + child)?.(1);
    },
  };
}

test('a process is started, exits, and is known until it is forgotten', (t) => {
  const zygote = open();
  zygote.processes.start('one', containerInit());
  t.deepEqual(zygote.processes.list(), [{ id: 'one', pid: 0, cgroup: CGROUP, terminal: null, exit: null }]);
  zygote.reports(0, '\n', '');
  zygote.ends(0, 3);
  t.like(zygote.told, [
    { type: 'started', id: 'one', pid: 0 },
    { type: 'exited', id: 'one', exit: { code: 3, signal: null } },
  ]);
  t.like(zygote.processes.list(), [{ id: 'one', exit: { code: 3, signal: null } }]);
  zygote.processes.forget('one');
  t.deepEqual(zygote.processes.list(), []);
  t.is(zygote.handlers.size, 0);
});

test('a process whose end is noticed first was started before', (t) => {
  const zygote = open();
  zygote.processes.start('one', containerInit());
  zygote.left(0, '\n', '');
  zygote.ends(0, null, 9);
  t.like(zygote.told, [{ type: 'started' }, { type: 'exited', exit: { code: null, signal: 9 } }]);
});

test('a failure is told when the child is gone, and leaves nothing', (t) => {
  const zygote = open();
  zygote.processes.start('one', containerInit());
  zygote.reports(0, '\n', '{"operation":"execve","object":"/x","errno":"ENOENT"}', '');
  t.deepEqual(zygote.told, []);
  zygote.ends(0, 127);
  t.deepEqual(zygote.told, [
    { type: 'failed', id: 'one', request: 'start', operation: 'execve', object: '/x', errno: 'ENOENT' },
  ]);
  t.deepEqual(zygote.processes.list(), []);
  t.is(zygote.handlers.size, 0);
});

test('a child that is killed before it could become the program has failed', (t) => {
  const zygote = open();
  zygote.processes.start('one', containerInit());
  zygote.left(0, '');
  zygote.ends(0, null, 9);
  t.like(zygote.told, [{ type: 'failed', object: 'process, ended by signal 9', errno: 'ECANCELED' }]);
});

test('starts overlap', (t) => {
  const zygote = open();
  zygote.processes.start('one', containerInit());
  zygote.processes.start('two', containerInit());
  zygote.reports(1, '\n', '');
  zygote.reports(0, '\n', '');
  t.like(zygote.told, [{ id: 'two' }, { id: 'one' }]);
});

test('an id is taken while its process lives, and free again when it has ended', (t) => {
  const zygote = open();
  zygote.processes.start('one', containerInit());
  t.throws(() => zygote.processes.start('one', containerInit()), { message: /EEXIST/ });
  zygote.reports(0, '\n', '');
  zygote.ends(0, 0);
  zygote.processes.start('one', containerInit());
  t.deepEqual(zygote.processes.list(), [{ id: 'one', pid: 1, cgroup: CGROUP, terminal: null, exit: null }]);
});

test('forgetting a process that runs changes nothing', (t) => {
  const zygote = open();
  zygote.processes.start('one', containerInit());
  zygote.processes.forget('one');
  zygote.processes.forget('unknown');
  t.is(zygote.processes.list().length, 1);
});

test('signals reach a process from its birth to its end', (t) => {
  const zygote = open();
  zygote.processes.start('one', containerInit());
  zygote.processes.signal('one', 15);
  t.true(zygote.calls.includes(`sendSignal ${PIDFD} 15`));
  zygote.reports(0, '\n', '');
  zygote.ends(0, 0);
  t.throws(() => zygote.processes.signal('one', 15), { message: /ESRCH/ });
  t.throws(() => zygote.processes.signal('unknown', 15), { message: /ESRCH/ });
});

test('a further process is born in the PID namespace of the container, and the zygote returns to its own', (t) => {
  const zygote = open();
  zygote.processes.start('one', containerInit());
  t.throws(() => zygote.processes.exec('sh', execInit()), { message: /ESRCH/ }, 'not before it runs');
  zygote.reports(0, '\n', '');
  zygote.processes.exec('sh', execInit());
  const own = zygote.calls.filter((call) => call.startsWith('setns'));
  t.deepEqual(own, [`setns ${PIDFD} ${CLONE_NEWPID}`, `setns 10 ${CLONE_NEWPID}`]);
  zygote.reports(1, '\n', '');
  zygote.ends(1, 5);
  t.like(zygote.told.slice(1), [
    { type: 'started', id: 'sh' },
    { type: 'exited', id: 'sh', exit: { code: 5 } },
  ]);
});

test('a fork that fails gives everything back, and the zygote returns to its own PID namespace', (t) => {
  let forks = 0;
  const zygote = open({ fork: () => (forks++ === 0 ? { pid: 0, pidfd: PIDFD } : failing('EPERM')()) });
  zygote.processes.start('one', containerInit());
  zygote.reports(0, '\n', '');
  const before = zygote.calls.length;
  t.throws(() => zygote.processes.exec('sh', execInit()), { message: /EPERM/ });
  const calls = zygote.calls.slice(before);
  const count = (name: string) => calls.filter((call) => call.startsWith(`${name} `)).length;
  t.is(count('close'), count('open') + 2 * count('pipe2'));
  t.is(calls.at(-1), `setns 10 ${CLONE_NEWPID}`);
  t.is(zygote.processes.list().length, 1);
});
