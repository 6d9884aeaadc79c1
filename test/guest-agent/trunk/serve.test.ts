import { once } from 'node:events';
import { createServer, type Http2Server } from 'node:http2';
import { connect, createServer as createSocketServer, type Socket } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { serveTrunk } from '../../../guest-agent/trunk/serve.ts';
import type { Port } from '../../../guest-agent/trunk/port.ts';
import { connectClient } from '../client.ts';

/** A port whose host end is a unix socket, one connection after another. */
async function testTrunk(t: ExecutionContext, restarted = false): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'nest-trunk-'));
  const path = join(folder, 'port.sock');
  const waiting: Socket[] = [];
  let arrived = Promise.withResolvers<void>();
  const host = createSocketServer((socket) => {
    waiting.push(socket);
    arrived.resolve();
  }).listen(path);
  await once(host, 'listening');
  let current: Socket | undefined;
  const port: Port = {
    async accept(begun) {
      while (waiting.length === 0) {
        arrived = Promise.withResolvers();
        await arrived.promise;
      }
      current = waiting.shift();
      if (current === undefined) throw new Error('no connection waits');
      if (begun.length > 0) current.unshift(begun);
      return current;
    },
  };
  const server: Http2Server = createServer();
  server.on('stream', (stream) => {
    stream.respond();
    stream.end('"hello"');
  });
  void serveTrunk(server, port, restarted);
  t.teardown(() => {
    current?.destroy();
    host.close();
    rmSync(folder, { recursive: true });
  });
  return path;
}

test('one connection after another is served', async (t) => {
  const path = await testTrunk(t);
  for (let connection = 0; connection < 3; connection += 1) {
    const client = connectClient(path);
    t.is((await client.ask('GET', '/')).body, 'hello');
    client.close();
  }
});

test('a session of an earlier agent is told to end, also within a frame, and the next one is served', async (t) => {
  const path = await testTrunk(t, true);
  const old = connect(path);
  let told = Buffer.alloc(0);
  for await (const chunk of old as AsyncIterable<Buffer>) {
    told = Buffer.concat([told, chunk]);
    if (told.length > 17_000 - 1) break;
  }
  // Wherever the earlier agent's last frame ended, a whole GOAWAY frame follows it.
  const goaway = Buffer.from('0000080700000000000000000000000002', 'hex');
  for (const cut of [0, 9, 100, 16_384]) t.not(told.indexOf(goaway, cut), -1);
  const client = connectClient(path);
  t.is((await client.ask('GET', '/')).body, 'hello');
  client.close();
});

test('a connection that follows an unknown session without a gap is served', async (t) => {
  const path = await testTrunk(t, true);
  const old = connect(path);
  old.resume().write(Buffer.concat([Buffer.alloc(5000, 7), BEGINNING]));
  await once(old, 'close');
  const socket = connect(path);
  const [settings] = (await once(socket, 'data')) as [Buffer];
  t.is(settings[3], 4, 'a SETTINGS frame');
  socket.destroy();
});

test('a stream that does not begin as HTTP/2 is refused, and its bytes are dropped', async (t) => {
  const path = await testTrunk(t);
  const noise = connect(path);
  noise.write('PRI * HTTP/1.0 and something else');
  const [goaway] = (await once(noise, 'data')) as [Buffer];
  t.is(goaway.toString('hex', 0, 17), '0000080700000000000000000000000002');
  noise.destroy();
  const client = connectClient(path);
  t.is((await client.ask('GET', '/')).body, 'hello');
  client.close();
});

test('a beginning that comes byte by byte is served', async (t) => {
  const path = await testTrunk(t);
  const socket = connect(path);
  await once(socket, 'connect');
  for (const byte of BEGINNING) {
    socket.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const [settings] = (await once(socket, 'data')) as [Buffer];
  t.is(settings[3], 4, 'a SETTINGS frame');
  socket.destroy();
});

/** What an HTTP/2 client says first: the preface and an empty SETTINGS frame. */
const BEGINNING = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
