import { once } from 'node:events';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import http2 from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import * as v from 'valibot';
import { connectTrunk, type Trunk } from '../../src/trunk/trunk.ts';

const Greeting = v.object({ hello: v.string() });

test('exchanges JSON', async (t) => {
  const socket = await socketPath(t);
  await fakeAgent(t, socket, (stream, headers) => {
    void text(stream).then((body) => {
      stream.respond({ ':status': 200 });
      stream.end(JSON.stringify({ hello: `${headers[':method']} ${headers[':path']} ${body}` }));
    });
  });
  const trunk = connect(t, socket);
  const reply = await trunk.request({ method: 'PUT', path: '/v1/x', body: { a: 1 } }, Greeting);
  t.is(reply.hello, 'PUT /v1/x {"a":1}');
  t.true(trunk.connected);
});

const maps = test.macro<[number, object | string, object]>({
  exec: async (t, status, body, expected) => {
    const socket = await socketPath(t);
    await fakeAgent(t, socket, (stream) => {
      stream.respond({ ':status': status });
      stream.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
    const trunk = connect(t, socket);
    await t.throwsAsync(trunk.send({ method: 'POST', path: '/v1/x' }), expected);
    await t.throwsAsync(trunk.open({ method: 'POST', path: '/v1/x' }), expected);
  },
  title: (_, status, body) => `a reply with status ${status} and ${JSON.stringify(body)} becomes an error`,
});
test(maps, 400, { message: 'bad cwd' }, { code: 'invalid-input', message: 'bad cwd' });
test(maps, 400, { message: 'execve `x`: gone', errno: 'ENOENT' }, { code: 'exec-failed' });
test(maps, 404, { message: 'no such container' }, { code: 'not-found' });
test(maps, 409, { message: 'running' }, { code: 'conflict' });
test(maps, 502, { message: 'refused' }, { code: 'conflict' });
test(maps, 500, { message: 'two\nlines\u001b[2J' }, { code: 'internal', message: 'two lines [2J' });
test(maps, 503, 'no JSON', { code: 'internal', message: 'the agent replied with status 503' });

test('streams both ways', async (t) => {
  const socket = await socketPath(t);
  await fakeAgent(t, socket, (stream) => {
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  });
  const stream = await connect(t, socket).open({ method: 'POST', path: '/v1/attach' });
  const sent = 'x'.repeat(3_000_000);
  stream.end(sent);
  t.is(await text(stream), sent);
});

test('reads a reply longer than the JSON limit as a stream', async (t) => {
  const socket = await socketPath(t);
  await fakeAgent(t, socket, tooMuch);
  let size = 0;
  for await (const chunk of await connect(t, socket).read({ method: 'GET', path: '/v1/logs' }))
    size += (chunk as Buffer).length;
  t.is(size, 9 * 1024 * 1024);
});

test('keeps what a reply had when it ended, for a reader who comes late', async (t) => {
  const socket = await socketPath(t);
  await fakeAgent(t, socket, (stream) => {
    stream.respond({ ':status': 200 });
    stream.end('all of it');
  });
  const { signal } = new AbortController();
  const trunk = connect(t, socket);
  const reply = await trunk.read({ method: 'GET', path: '/v1/layer', signal });
  // By now the stream of the first has ended, too.
  await t.throwsAsync(trunk.request({ method: 'GET', path: '/v1/x' }, Greeting));
  t.is(await text(reply), 'all of it');
});

test('refuses a JSON reply longer than the limit and stays usable', async (t) => {
  const socket = await socketPath(t);
  await fakeAgent(t, socket, (stream, headers) => (headers[':path'] === '/big' ? tooMuch(stream) : greet(stream)));
  const trunk = connect(t, socket);
  await t.throwsAsync(trunk.request({ method: 'GET', path: '/big' }, Greeting), {
    code: 'guest-lost',
    message: /longer than/,
  });
  t.is((await trunk.request({ method: 'GET', path: '/' }, Greeting)).hello, 'host');
});

test('refuses a reply that does not fit its schema, and one that is not JSON', async (t) => {
  const socket = await socketPath(t);
  await fakeAgent(t, socket, (stream, headers) => {
    stream.respond({ ':status': 200 });
    stream.end(headers[':path'] === '/text' ? 'hello' : '{"hello": 7}');
  });
  const trunk = connect(t, socket);
  await t.throwsAsync(trunk.request({ method: 'GET', path: '/' }, Greeting), { code: 'guest-lost', message: /hello/ });
  await t.throwsAsync(trunk.request({ method: 'GET', path: '/text' }, Greeting), { code: 'guest-lost' });
});

test('connects to an agent that comes later', async (t) => {
  const socket = await socketPath(t);
  const trunk = connect(t, socket);
  const reply = trunk.request({ method: 'GET', path: '/' }, Greeting);
  t.false(trunk.connected);
  await fakeAgent(t, socket, greet);
  t.is((await reply).hello, 'host');
});

test('waits for an agent that accepts long before it reads, as QEMU does', async (t) => {
  const socket = await socketPath(t);
  const http = http2.createServer().on('stream', greet);
  const listener = await listen(t, socket, net.createServer());
  const trunk = connect(t, socket, { waitMs: 30_000 });
  const reply = trunk.request({ method: 'GET', path: '/' }, Greeting);
  const [connection] = (await once(listener, 'connection')) as [net.Socket];
  t.false(trunk.connected);
  http.emit('connection', connection);
  t.is((await reply).hello, 'host');
});

test('fails a request that waits too long for the agent', async (t) => {
  const trunk = connect(t, await socketPath(t), { waitMs: 50 });
  await t.throwsAsync(trunk.send({ method: 'GET', path: '/' }), { code: 'guest-lost', message: /did not answer/ });
});

test('a waiting request can be cancelled', async (t) => {
  const trunk = connect(t, await socketPath(t));
  const abort = new AbortController();
  const waiting = trunk.send({ method: 'GET', path: '/', signal: abort.signal });
  abort.abort();
  await t.throwsAsync(waiting, { code: 'cancelled' });
});

test('a request under way can be cancelled', async (t) => {
  const socket = await socketPath(t);
  const abort = new AbortController();
  await fakeAgent(t, socket, () => abort.abort());
  await t.throwsAsync(connect(t, socket).send({ method: 'GET', path: '/', signal: abort.signal }), {
    code: 'cancelled',
  });
});

test('an agent that dies ends requests and streams, and its successor is found', async (t) => {
  const socket = await socketPath(t);
  const first = await fakeAgent(t, socket, (stream, headers) => {
    if (headers[':path'] === '/events') stream.respond({ ':status': 200 });
  });
  const trunk = connect(t, socket);
  const events = await trunk.read({ method: 'GET', path: '/events' });
  const action = trunk.send({ method: 'POST', path: '/never' });
  const question = trunk.request({ method: 'GET', path: '/never' }, Greeting);
  const changes = changesOf(trunk);
  await first.requests(3);
  first.stop();
  await t.throwsAsync(text(events), { code: 'guest-lost' });
  await t.throwsAsync(action, { code: 'guest-lost' });
  await fakeAgent(t, socket, greet);
  t.is((await question).hello, 'host', 'an idempotent request is sent again');
  t.deepEqual(changes, [false, true]);
});

test('GOAWAY from a restarted agent makes a new session', async (t) => {
  const socket = await socketPath(t);
  const agent = await fakeAgent(t, socket, greet);
  const trunk = connect(t, socket);
  await trunk.send({ method: 'GET', path: '/' });
  const changes = changesOf(trunk);
  const [connection] = agent.connections;
  connection?.write(GOAWAY);
  await once(connection as net.Socket, 'close');
  t.is((await trunk.request({ method: 'GET', path: '/' }, Greeting)).hello, 'host');
  t.deepEqual(changes, [false, true]);
});

test('garbage from the guest ends the session, and the next one works', async (t) => {
  const socket = await socketPath(t);
  let connections = 0;
  const http = http2.createServer().on('stream', greet);
  await listen(
    t,
    socket,
    net.createServer((connection) => {
      connection.on('error', () => undefined);
      if (++connections === 1) connection.write('left over from an old session'.repeat(100));
      else http.emit('connection', connection);
    }),
  );
  t.is((await connect(t, socket).request({ method: 'GET', path: '/' }, Greeting)).hello, 'host');
  t.is(connections, 2);
});

test('what the guest still sends to an old session does not make a new one', async (t) => {
  const socket = await socketPath(t);
  let connections = 0;
  const http = http2.createServer().on('stream', greet);
  await listen(
    t,
    socket,
    net.createServer((connection) => {
      connection.on('error', () => undefined);
      // An empty SETTINGS frame, then GOAWAY.
      if (++connections === 1) connection.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
      if (connections === 1) setImmediate(() => connection.write(GOAWAY));
      else http.emit('connection', connection);
    }),
  );
  const trunk = connect(t, socket);
  const changes = changesOf(trunk);
  t.is((await trunk.request({ method: 'GET', path: '/' }, Greeting)).hello, 'host');
  t.deepEqual(changes, [true]);
});

test('a connection that nobody answers is made anew', async (t) => {
  const socket = await socketPath(t);
  let connections = 0;
  const http = http2.createServer().on('stream', greet);
  await listen(
    t,
    socket,
    net.createServer((connection) => {
      if (++connections >= 2) http.emit('connection', connection);
      else connection.resume();
    }),
  );
  const trunk = connect(t, socket, { handshakeMs: 50 });
  t.is((await trunk.request({ method: 'GET', path: '/' }, Greeting)).hello, 'host');
});

test('an agent that falls silent while a reply is due is lost', async (t) => {
  const socket = await socketPath(t);
  const [agentEnd, portEnd] = duplexPair();
  const http = http2.createServer().on('stream', () => portEnd.unpipe());
  const port = net.createServer((connection) => {
    http.emit('connection', agentEnd);
    connection.pipe(portEnd).pipe(connection);
  });
  await listen(t, socket, port);
  const trunk = connect(t, socket, { quietMs: 50 });
  await t.throwsAsync(trunk.send({ method: 'POST', path: '/' }), { code: 'guest-lost', message: /silent/ });
});

test('an agent that answers pings may take its time', async (t) => {
  const socket = await socketPath(t);
  const agent = await fakeAgent(t, socket, (stream) => {
    let pings = 0;
    stream.session?.on('ping', () => {
      if (++pings === 3) greet(stream);
    });
  });
  const trunk = connect(t, socket, { quietMs: 1000 });
  t.is((await trunk.request({ method: 'GET', path: '/' }, Greeting)).hello, 'host');
  t.is(agent.connections.length, 1);
});

test('tells when nobody listens on the socket any more', async (t) => {
  const socket = await socketPath(t);
  const listener = await listen(t, `${socket}.new`, net.createServer());
  // Node removes the socket that it made; a killed process leaves it behind, which the other name stands for.
  await rename(`${socket}.new`, socket);
  const refused = Promise.withResolvers<undefined>();
  connect(t, socket, { refused: () => refused.resolve(undefined) });
  const [connection] = (await once(listener, 'connection')) as [net.Socket];
  listener.close();
  connection.destroy();
  await t.notThrowsAsync(refused.promise);
});

test('closing fails what is under way, and what comes after, at once', async (t) => {
  const socket = await socketPath(t);
  await fakeAgent(t, socket, () => trunk.close());
  const trunk = connect(t, socket);
  await t.throwsAsync(trunk.send({ method: 'GET', path: '/' }), { code: 'guest-lost' });
  await t.throwsAsync(trunk.send({ method: 'GET', path: '/' }), { code: 'guest-lost', message: /closed/ });
  trunk.close();
  t.false(trunk.connected);
});

type Handler = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void;

/** An agent as QEMU's socket shows it: an HTTP/2 server on a unix socket. */
async function fakeAgent(t: ExecutionContext, socket: string, handler: Handler) {
  const connections: net.Socket[] = [];
  const server = http2.createServer();
  let seen = 0;
  server.on('stream', (stream, headers) => {
    seen++;
    stream.on('error', () => undefined);
    handler(stream, headers);
  });
  server.on('connection', (connection: net.Socket) => connections.push(connection));
  await listen(t, socket, server);
  return {
    connections,
    stop: () => stopServer(server, connections),
    /** Resolves when so many requests have come. */
    async requests(count: number) {
      while (seen < count) await once(server, 'stream');
    },
  };
}

async function listen<S extends net.Server>(t: ExecutionContext, socket: string, server: S): Promise<S> {
  const connections: net.Socket[] = [];
  server.on('connection', (connection: net.Socket) => connections.push(connection));
  server.listen(socket);
  await once(server, 'listening');
  t.teardown(() => stopServer(server, connections));
  return server;
}

function stopServer(server: net.Server, connections: net.Socket[]): void {
  server.close();
  for (const connection of connections) connection.destroy();
}

function connect(t: ExecutionContext, socket: string, limits: Parameters<typeof connectTrunk>[1] = {}): Trunk {
  const trunk = connectTrunk(socket, limits);
  t.teardown(() => trunk.close());
  return trunk;
}

function changesOf(trunk: Trunk): boolean[] {
  const changes: boolean[] = [];
  trunk.onChange((connected) => changes.push(connected));
  return changes;
}

async function socketPath(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-trunk-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return path.join(folder, 'trunk');
}

function greet(stream: http2.ServerHttp2Stream): void {
  stream.respond({ ':status': 200 });
  stream.end('{"hello": "host"}');
}

function tooMuch(stream: http2.ServerHttp2Stream): void {
  stream.respond({ ':status': 200 });
  stream.end(Buffer.alloc(9 * 1024 * 1024, '1'));
}

/** RFC 9113: length 8, type GOAWAY, no flags, stream 0; last stream 0, NO_ERROR. */
const GOAWAY = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

test('a ping is answered by the agent, or by its successor, and given up with its signal', async (t) => {
  const socket = await socketPath(t);
  const trunk = connect(t, socket);
  t.false(await trunk.ping(AbortSignal.timeout(50)), 'nobody is there');
  const answered = trunk.ping(AbortSignal.timeout(30_000));
  await fakeAgent(t, socket, greet);
  t.true(await answered);
  trunk.close();
  t.false(await trunk.ping(AbortSignal.timeout(30_000)));
});
