import test from 'ava';
import { EPOLLIN, EPOLLOUT } from '../../../guest-agent/sys/constants.ts';
import { openConnection } from '../../../guest-agent/zygote/connection.ts';
import type { Loop } from '../../../guest-agent/zygote/loop.ts';
import { recordingSys } from '../sys/recording-sys.ts';

const FD = 5;

/** A connection over a socket that takes `room` bytes and gives `input`. */
function open(receive: (line: string) => void = () => {}) {
  const socket = { room: Infinity, input: [] as (string | null)[], output: '', closed: false, events: EPOLLIN };
  const { sys } = recordingSys({
    read(_, buffer) {
      const text = socket.input.shift();
      return text == null ? null : Buffer.from(buffer.buffer, buffer.byteOffset).write(text);
    },
    write(_, bytes) {
      if (socket.room === 0) return null;
      const count = Math.min(socket.room, bytes.length);
      socket.room -= count;
      socket.output += Buffer.from(bytes.subarray(0, count)).toString();
      return count;
    },
    close: () => Number((socket.closed = true)),
  });
  let handle: (events: number) => void = () => {};
  const loop: Loop = {
    watch: (_, __, handler) => void (handle = handler),
    change: (_, events) => void (socket.events = events),
    unwatch() {},
    turn() {},
  };
  const connection = openConnection(sys, loop, FD, receive);
  return { connection, socket, happens: (events: number) => handle(events) };
}

const message = { type: 'signalled', id: 'x' } as const;
const LINE = '{"type":"signalled","id":"x"}\n';

test('a message is sent at once', (t) => {
  const { connection, socket } = open();
  connection.send(message);
  t.is(socket.output, LINE);
  t.is(socket.events, EPOLLIN);
});

test('what a slow peer does not take waits until there is room', (t) => {
  const { connection, socket, happens } = open();
  socket.room = 5;
  connection.send(message);
  connection.send(message);
  t.is(socket.events, EPOLLIN | EPOLLOUT);
  socket.room = Infinity;
  happens(EPOLLOUT);
  t.is(socket.output, LINE + LINE);
  t.is(socket.events, EPOLLIN);
});

const BIG = { id: 'x'.repeat(1024 * 1024) };

test('a peer that never reads is disconnected', (t) => {
  const { connection, socket } = open();
  t.teardown(silence());
  socket.room = 0;
  for (let count = 0; count < 5 && !socket.closed; count++)
    connection.send({ type: 'processes', processes: [{ ...BIG, pid: 1, cgroup: '', terminal: null, exit: null }] });
  t.true(socket.closed);
  t.notThrows(() => connection.send(message));
});

test('lines are received, and the end of the stream closes the connection', (t) => {
  const lines: string[] = [];
  const { socket, happens } = open((line) => lines.push(line));
  socket.input = ['on', 'e\ntwo\n', ''];
  for (let turn = 0; turn < 3; turn++) happens(EPOLLIN);
  t.deepEqual(lines, ['one', 'two']);
  t.true(socket.closed);
});

test('a peer that sends nonsense is disconnected, and what it sent after it is dropped', (t) => {
  t.teardown(silence());
  const lines: string[] = [];
  const { socket, happens } = open((line) => {
    lines.push(line);
    throw new Error('nonsense');
  });
  socket.input = ['one\ntwo\n'];
  happens(EPOLLIN);
  t.deepEqual(lines, ['one']);
  t.true(socket.closed);
});

/** The reason is for the guest's console. */
function silence(): () => void {
  const { error } = console;
  console.error = () => {};
  return () => (console.error = error);
}
