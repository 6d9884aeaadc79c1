import test from 'ava';
import type { Loop } from '../../../guest-agent/zygote/loop.ts';
import { trackSpares } from '../../../guest-agent/zygote/spares.ts';
import { recordingSys } from '../sys/recording-sys.ts';
import { containerInit } from './samples.ts';

const OUTPUTS = { stdout: '/run/out', stderr: '/run/err' };

/** Descriptors count up from 10: two outputs, the two ends of the orders' pipe, cgroup, the two ends of the report's, pidfd. */
const ORDERS = 13;
const PIDFD = 17;

function open() {
  const orders: string[] = [];
  const ended = new Set<number>();
  const { sys, calls } = recordingSys({
    write(fd, bytes) {
      if (fd === ORDERS) orders.push(Buffer.from(bytes).toString());
      return bytes.length;
    },
    wait: (pid) => (ended.has(pid) ? { code: 127, signal: null } : null),
  });
  const handlers = new Map<number, (events: number) => void>();
  const loop: Loop = {
    watch: (fd, _, handle) => void handlers.set(fd, handle),
    change() {},
    unwatch: (fd) => void handlers.delete(fd),
    turn() {},
  };
  const spares = trackSpares(sys, loop, []);
  const end = () => {
    ended.add(100);
    handlers.get(PIDFD)?.(1);
  };
  return { spares, orders, calls, handlers, end };
}

test('a container whose cgroup a process waits in is told to it, and needs no fork', (t) => {
  const { spares, orders, handlers } = open();
  const init = containerInit();
  spares.prepare(init.cgroup, init.sandbox, OUTPUTS);
  t.like(spares.take(init), { pid: 100, pidfd: PIDFD, held: [10, 11] });
  t.deepEqual(JSON.parse(orders.join('')), init);
  t.is(handlers.size, 0, 'who took it watches it');
  t.is(spares.take(init), undefined, 'once');
});

test('a container that must have another sandbox, or is too long for the pipe, is forked; who waited ends', (t) => {
  for (const init of [
    containerInit({ sandbox: { ...containerInit().sandbox, maskedPaths: [] } }),
    containerInit({ stdio: { stdin: null, stdout: '/run/out', stderr: '/run/other' } }),
    containerInit({ env: ['x'.repeat(64 * 1024)] }),
  ]) {
    const { spares, orders, calls, handlers, end } = open();
    spares.prepare(init.cgroup, containerInit().sandbox, OUTPUTS);
    t.is(spares.take(init), undefined);
    t.deepEqual(orders, []);
    t.true(calls.includes(`close ${ORDERS}`));
    end();
    t.is(handlers.size, 0);
  }
});

test('a process that ends while it waits gives everything back', (t) => {
  const { spares, calls, end } = open();
  const init = containerInit();
  spares.prepare(init.cgroup, init.sandbox, OUTPUTS);
  end();
  t.is(spares.take(init), undefined);
  const closed = calls.filter((call) => call.startsWith('close ')).map((call) => Number(call.slice('close '.length)));
  t.deepEqual(
    closed.toSorted((a, b) => a - b),
    [10, 11, 12, 13, 14, 15, 16, 17],
  );
});

test('all that wait are dismissed at once', (t) => {
  const { spares, calls } = open();
  const init = containerInit();
  spares.prepare(init.cgroup, init.sandbox, OUTPUTS);
  spares.dismiss();
  t.true(calls.includes(`close ${ORDERS}`));
  t.is(spares.take(init), undefined);
});
