import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { type Clock, systemClock } from '../../../guest-agent/clock.ts';
import type { Directory } from '../../../guest-agent/network/directory.ts';
import { answerOn } from '../../../guest-agent/network/resolver.ts';

const DIRECTORY: Directory = { addresses: () => ['10.89.1.2'], nameOf: () => undefined };

test('a datagram that no reply can be sent to, or that nobody can answer, does not end the resolver', async (t) => {
  let fails = true;
  const addresses = () => {
    if (fails) throw new Error('a fault of the directory');
    return ['10.89.1.2'];
  };
  const resolver = await openSocket(t, '127.0.0.1');
  answerOn(resolver, { ...DIRECTORY, addresses }, systemClock, () => {});
  const sender = { address: '127.0.0.2', family: 'IPv4' as const, size: 12 };
  t.notThrows(() => resolver.emit('message', query(1), { ...sender, port: 4000 }), 'a fault of the agent');
  fails = false;
  t.notThrows(() => resolver.emit('message', query(2), { ...sender, port: 0 }), 'no port: a raw socket sends it');
  const asker = await openSocket(t, '127.0.0.2');
  t.is(await ask(asker, resolver, 3), 3);
});

test('one that asks without end is answered 200 times a second, all together 1000 times', async (t) => {
  let now = 0;
  const due: (() => void)[] = [];
  const clock: Clock = { now: () => now, after: (_, action) => (due.push(action), () => void due.pop()) };
  let ignored: string[] = [];
  const resolver = createSocket('udp4').bind(0, '127.0.0.1');
  await once(resolver, 'listening');
  const names = answerOn(resolver, DIRECTORY, clock, (askers) => (ignored = askers));
  const askers = await Promise.all([2, 3, 4, 5, 6, 7].map((last) => openSocket(t, `127.0.0.${last}`)));
  const [first, second, third, fourth, fifth, sixth] = askers as [Socket, Socket, Socket, Socket, Socket, Socket];
  for (let id = 1; id <= 200; id += 1) t.is(await ask(first, resolver, id), id);
  t.deepEqual(ignored, []);
  await tell(first, resolver, 201);
  t.deepEqual(ignored, ['127.0.0.2']);
  t.is(await ask(second, resolver, 1), 1, 'another one is answered');
  now = 999;
  await tell(first, resolver, 202);
  t.is(await ask(second, resolver, 2), 2);
  now = 1000;
  due.pop()?.();
  t.deepEqual([ignored, due.length], [[], 0], 'for a second, whatever else came');
  t.is(await ask(first, resolver, 203), 203, 'neither of the two before was');

  for (let id = 1; id < 200; id += 1) await ask(first, resolver, id);
  for (const asker of [second, third, fourth, fifth])
    for (let id = 1; id <= 200; id += 1) t.is(await ask(asker, resolver, id), id);
  await tell(sixth, resolver, 1);
  now = 2000;
  t.is(await ask(sixth, resolver, 2), 2, 'the whole was taken a moment ago');

  for (let id = 3; id <= 202; id += 1) await tell(sixth, resolver, id);
  t.is(due.length, 1);
  names.close();
  t.is(due.length, 0, 'no socket is there to hear by');
});

async function openSocket(t: ExecutionContext, address: string): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, address);
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return socket;
}

/** Id of the reply that comes next. */
async function ask(asker: Socket, resolver: Socket, id: number): Promise<number> {
  const reply = once(asker, 'message') as Promise<[Buffer]>;
  await tell(asker, resolver, id);
  const [bytes] = await reply;
  return bytes.readUInt16BE(0);
}

/** Sends a query; resolves when the resolver was through with it. */
async function tell(asker: Socket, resolver: Socket, id: number): Promise<void> {
  const heard = once(resolver, 'message');
  const { port, address } = resolver.address();
  asker.send(query(id), port, address);
  await heard;
}

/** A query for the address of `web`. */
function query(id: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(1, 4);
  return Buffer.concat([header, Buffer.from('\x03web\0\0\x01\0\x01', 'latin1')]);
}
