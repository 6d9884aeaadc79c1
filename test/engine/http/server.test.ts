import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createRouter } from '../../../src/engine/http/router.ts';
import { createApiServer } from '../../../src/engine/http/server.ts';
import { trackWork } from '../../../src/engine/http/work.ts';
import { temporaryFolder } from '../../helpers/images.ts';

/** A server with one route, whose handler may do something to its client before it answers. */
async function makes(
  t: ExecutionContext,
  meanwhile: (client: Socket, signal: AbortSignal) => unknown,
): Promise<string[]> {
  const happened: string[] = [];
  const work = trackWork();
  const socketPath = path.join(await temporaryFolder(t), 'socket');
  const client: { socket?: Socket } = {};
  const route = createRouter([
    {
      method: 'POST',
      path: '/make',
      async handle({ signal }) {
        happened.push('made');
        if (client.socket) await meanwhile(client.socket, signal);
        return { status: 201, json: {}, undelivered: () => Promise.resolve(void happened.push('taken back')) };
      },
    },
  ]);
  const server = createApiServer(route, work, (message) => t.fail(message));
  await server.listen(socketPath);
  t.teardown(() => server.close());
  const socket = connect(socketPath);
  client.socket = socket;
  socket.on('data', () => happened.push('told'));
  socket.write('POST /make HTTP/1.1\r\nHost: engine\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  await once(socket, 'close');
  await work.ended(10_000);
  await rm(socketPath, { force: true });
  return happened;
}

test('what a reply tells of stays when the client has it', async (t) => {
  t.deepEqual(await makes(t, () => undefined), ['made', 'told']);
});

test('a client that has hung up on its side is told all the same', async (t) => {
  t.deepEqual(await makes(t, (client) => client.end()), ['made', 'told']);
});

test('what a reply would have told of is taken back when the client is gone', async (t) => {
  t.deepEqual(await makes(t, (client) => client.destroy()), ['made', 'taken back']);
});

test('so it is when the engine has noticed before', async (t) => {
  const noticed = async (client: Socket, signal: AbortSignal) => {
    client.destroy();
    await once(signal, 'abort');
  };
  t.deepEqual(await makes(t, noticed), ['made', 'taken back']);
});
