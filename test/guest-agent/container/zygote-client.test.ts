import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { systemClock } from '../../../guest-agent/clock.ts';
import { connectZygote, ZygoteError } from '../../../guest-agent/zygote-client.ts';
import type { ContainerInit, FromZygote } from '../../../guest-agent/zygote/protocol.ts';

interface Scene {
  zygote: ReturnType<typeof connectZygote>;
  heard: string[];
  say: (message: FromZygote) => void;
  socket: Socket;
  server: Server;
}

async function testClient(t: ExecutionContext): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'nest-zygote-'));
  const path = join(folder, 'zygote.sock');
  const heard: string[] = [];
  const first = Promise.withResolvers<void>();
  const zygote = connectZygote(path, systemClock, {
    processes: () => first.resolve(),
    started: ({ id, pid }) => heard.push(`started ${id} ${pid}`),
    exited: (id, { code, signal }) => heard.push(`exited ${id} ${code} ${signal}`),
  });
  // The client was there first: it waits for the zygote.
  const server = createServer().listen(path);
  const [socket] = (await once(server, 'connection')) as [Socket];
  socket.resume().on('error', () => {});
  const say = (message: FromZygote) => void socket.write(`${JSON.stringify(message)}\n`);
  say({ type: 'processes', processes: [] });
  await first.promise;
  t.teardown(() => {
    zygote.close();
    socket.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return { zygote, heard, say, socket, server };
}

const init = { argv: ['true'] } as ContainerInit;

test('a reply reaches the request it belongs to', async (t) => {
  const { zygote, say } = await testClient(t);
  const [a, b] = [zygote.start('a', init), zygote.start('b', init)];
  const kills = [zygote.signal('a', 0), zygote.signal('a', 15)];
  say({ type: 'started', id: 'b', pid: 2, cgroup: '/c', terminal: { process: 7, fd: 9 } });
  say({ type: 'failed', id: 'a', request: 'start', operation: 'execve', object: '/x', errno: 'ENOENT' });
  say({ type: 'signalled', id: 'a' });
  say({ type: 'failed', id: 'a', request: 'signal', operation: 'kill', object: 'a', errno: 'ESRCH' });
  t.deepEqual(await b, { pid: 2, terminal: { process: 7, fd: 9 } });
  t.like(await t.throwsAsync(a, { instanceOf: ZygoteError }), { operation: 'execve', object: '/x', errno: 'ENOENT' });
  await t.notThrowsAsync(kills[0] as Promise<void>);
  t.like(await t.throwsAsync(kills[1] as Promise<void>), { errno: 'ESRCH' });
});

test('what an earlier agent asked for is told as news', async (t) => {
  const { heard, say, zygote } = await testClient(t);
  say({ type: 'started', id: 'a', pid: 5, cgroup: '/c', terminal: null });
  say({ type: 'failed', id: 'b', request: 'start', operation: 'execve', object: '/x', errno: 'ENOENT' });
  say({ type: 'exited', id: 'a', exit: { code: null, signal: 9, at: 1 } });
  const reply = zygote.signal('z', 0);
  say({ type: 'signalled', id: 'z' });
  await reply;
  t.deepEqual(heard, ['started a 5', 'exited b 127 null', 'exited a null 9']);
});

test('requests fail while the zygote is away', async (t) => {
  const { zygote, socket } = await testClient(t);
  const pending = zygote.start('a', init);
  socket.destroy();
  await t.throwsAsync(pending, { message: /it ended before it answered/ });
  await t.throwsAsync(zygote.start('b', init), { message: /it is away/ });
});

test('who needs the zygote while it is away waits until it is there and was heard', async (t) => {
  const { zygote, socket, server } = await testClient(t);
  await zygote.ready();
  socket.destroy();
  await t.throwsAsync(zygote.signal('a', 0), { message: /ended before|away/ });
  const waiting = zygote.ready();
  const [next] = (await once(server, 'connection')) as [Socket];
  t.teardown(() => next.destroy());
  next.resume().write('{"type":"processes","processes":[]}\n');
  await t.notThrowsAsync(waiting);
});

test('a request that is longer than the zygote takes is refused here', async (t) => {
  const { zygote } = await testClient(t);
  const error = await t.throwsAsync(zygote.start('a', { ...init, argv: Array<string>(20).fill('x'.repeat(100_000)) }));
  t.like(error, { status: 400, errno: 'E2BIG' });
});
