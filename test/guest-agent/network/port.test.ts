import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { readAll } from '../client.ts';
import { openFixture, run, shell } from '../fixture.ts';

async function listen(t: ExecutionContext, serve: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('bytes go both ways, and each side can end its half first', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('exec sleep 60');
  await run(client, spec, false);
  const port = await listen(t, (socket) => {
    void readAll(socket).then((bytes) => socket.end(`got ${bytes.length}`));
  });
  const { stream, status } = await client.open('POST', `/v1/containers/${spec.id}/ports/${port}`);
  t.is(status, 200);
  stream.end(Buffer.alloc(3_000_000));
  t.is((await readAll(stream)).toString(), 'got 3000000');
});

test('a reader that is slow gets everything', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('exec sleep 60');
  await run(client, spec, false);
  const port = await listen(t, (socket) => socket.end(Buffer.alloc(5_000_000, 'x')));
  const { stream } = await client.open('POST', `/v1/containers/${spec.id}/ports/${port}`);
  stream.end();
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.is(length, 5_000_000);
});

test('a client that breaks off ends the connection', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('exec sleep 60');
  await run(client, spec, false);
  const ended = Promise.withResolvers<void>();
  const port = await listen(t, (socket) => {
    socket.write('hello');
    socket.on('error', () => {}).on('close', () => ended.resolve());
    socket.on('end', () => socket.end()).resume();
  });
  const { stream } = await client.open('POST', `/v1/containers/${spec.id}/ports/${port}`);
  await once(stream, 'data');
  stream.destroy();
  await ended.promise;
  t.pass();
});

test('a port where nobody listens is 502, a container that does not run 409', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('exec sleep 60');
  await client.ask('POST', '/v1/containers', spec);
  t.is((await client.ask('POST', `/v1/containers/${spec.id}/ports/1`)).status, 409);
  await client.ask('POST', `/v1/containers/${spec.id}/start`);
  const refused = await client.ask('POST', `/v1/containers/${spec.id}/ports/1`);
  t.is(refused.status, 502);
  t.like(refused.body, { errno: 'ECONNREFUSED' });
});
