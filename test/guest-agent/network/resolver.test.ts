import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
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
  answerOn(resolver, { ...DIRECTORY, addresses });
  const sender = { address: '127.0.0.2', family: 'IPv4' as const, size: 12 };
  t.notThrows(() => resolver.emit('message', query(1), { ...sender, port: 4000 }), 'a fault of the agent');
  fails = false;
  t.notThrows(() => resolver.emit('message', query(2), { ...sender, port: 0 }), 'no port: a raw socket sends it');
  const asker = await openSocket(t, '127.0.0.2');
  t.is(await ask(asker, resolver, 3), 3);
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
  const { port, address } = resolver.address();
  asker.send(query(id), port, address);
  const [bytes] = await reply;
  return bytes.readUInt16BE(0);
}

/** A query for the address of `web`. */
function query(id: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(1, 4);
  return Buffer.concat([header, Buffer.from('\x03web\0\0\x01\0\x01', 'latin1')]);
}
