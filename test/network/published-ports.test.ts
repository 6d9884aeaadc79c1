import test from 'ava';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { duplexPair, type Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { publishedPorts, type PublishedPorts } from '../../src/network/published-ports.ts';

const any = { containerPort: 80, hostIp: '127.0.0.1', hostPort: 0 };

interface Opened {
  ports: PublishedPorts;
  /** The container's end of the first connection. */
  inner: Promise<Duplex>;
  /** The same connection's end in the engine. */
  outer: Promise<Duplex>;
}

function open(t: { teardown(fn: () => Promise<void>): void }): Opened {
  const inner = Promise.withResolvers<Duplex>();
  const outer = Promise.withResolvers<Duplex>();
  const ports = publishedPorts((_id, port) => {
    if (port === 81) return Promise.reject(new Error('refused'));
    const [outside, inside] = duplexPair({ allowHalfOpen: true });
    inner.resolve(inside);
    outer.resolve(outside);
    return Promise.resolve(outside);
  });
  t.teardown(() => ports.closeAll());
  return { ports, inner: inner.promise, outer: outer.promise };
}

test('a connection reaches the container, and each side may end first', async (t) => {
  const { ports, inner } = open(t);
  const [mapping] = await ports.open('a', [any]);
  const client = connect({ port: mapping?.hostPort ?? 0, allowHalfOpen: true });
  client.end('question');
  const inside = await inner;
  t.is(await text(inside), 'question');
  inside.end('answer');
  t.is(await text(client), 'answer');
});

test('when nothing listens in the container the client is turned away', async (t) => {
  const { ports } = open(t);
  const [mapping] = await ports.open('a', [{ ...any, containerPort: 81 }]);
  const client = connect(mapping?.hostPort ?? 0);
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNRESET');
});

test('a client that breaks off ends its stream into the container', async (t) => {
  const { ports, outer } = open(t);
  const [mapping] = await ports.open('a', [any]);
  const client = connect(mapping?.hostPort ?? 0);
  const stream = await outer;
  const closed = once(stream, 'close');
  client.resetAndDestroy();
  await closed;
  t.true(stream.destroyed);
});

test('all ports listen or none, and a taken one is named', async (t) => {
  const { ports } = open(t);
  const other = createServer().listen(0, '127.0.0.1');
  t.teardown(() => other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const free = await ports.open('free', [any]);
  await ports.close('free');
  const wanted = { ...any, hostPort: free[0]?.hostPort ?? 0 };
  const error = await t.throwsAsync(ports.open('a', [wanted, { ...any, hostPort: port }]));
  t.is((error as unknown as { code: string }).code, 'port-taken');
  t.regex(error.message, new RegExp(`127\\.0\\.0\\.1:${port}`));
  t.false(ports.has('a'));
  t.deepEqual(await ports.open('b', [wanted]), [wanted]);
});

test('an address of another host is refused', async (t) => {
  const { ports } = open(t);
  await t.throwsAsync(ports.open('a', [{ ...any, hostIp: '192.0.2.1' }]), { message: /not an address of this host/ });
});

test('closing frees the port and ends its connections; closing again is harmless', async (t) => {
  const { ports } = open(t);
  const [mapping] = await ports.open('a', [any]);
  const client = connect(mapping?.hostPort ?? 0);
  await once(client, 'connect');
  const closed = once(
    client.on('error', () => undefined),
    'close',
  );
  await ports.close('a');
  await closed;
  await ports.close('a');
  t.deepEqual(await ports.open('b', mapping === undefined ? [] : [mapping]), [mapping]);
});
