import { PassThrough } from 'node:stream';
import test from 'ava';
import * as v from 'valibot';
import { docked, openDocker } from '../../src/client/docker.ts';
import { engineClient } from '../../src/client/engine-client.ts';
import { connectionError, errorReply, request, requestJson } from '../../src/client/http.ts';
import { lines } from '../../src/client/ndjson.ts';
import type { ProgressEvent } from '../../src/progress.ts';
import { events, failure, fakeEngine, json } from './fake-engine.ts';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const GUESTS = { method: 'GET', path: '/nest/guests' } as const;

test('an error of the engine keeps its code and hint', async (t) => {
  const body = { message: 'no guest `x`', code: 'not-found', hint: 'nest vm list' };
  await using engine = await fakeEngine({ 'GET /nest/guests': failure(404, body) });
  const error = await t.throwsAsync(request(engine.paths.engineSocket, GUESTS), { name: 'NestError' });
  t.like(error, body);
});

test('an error of Docker’s shape gets its code by status', (t) => {
  t.like(errorReply(409, '{"message":"name in use"}'), { code: 'conflict', message: 'name in use' });
  t.like(errorReply(502, '<html>'), { code: 'internal', message: 'HTTP 502 from the engine' });
});

test('a reply of another shape is an error that names the request', async (t) => {
  await using engine = await fakeEngine({ 'GET /nest/guests': json([{ id: 1 }]) });
  const error = await t.throwsAsync(requestJson(engine.paths.engineSocket, GUESTS, v.array(v.string())));
  t.regex(error.message, /reply to `GET \/nest\/guests`/);
});

test('no permission for the socket is told apart from no engine', (t) => {
  t.like(connectionError('/s', Object.assign(new Error(), { code: 'EACCES' })), { code: 'not-permitted' });
  t.like(connectionError('/s', Object.assign(new Error(), { code: 'ENOENT' })), { code: 'engine-unavailable' });
});

test('progress comes as it happens, the result last', async (t) => {
  const step = { type: 'step', id: 1, title: 'Boot', state: 'running', detail: 'kernel' } as const;
  const result = { type: 'result', value: { project: 'p', removed: [], guests: [], volumes: [], networks: [] } };
  await using engine = await fakeEngine({ 'DELETE /nest/deployments/p': events(step, result) });
  const seen: ProgressEvent[] = [];
  const down = await engineClient(engine.paths.engineSocket).down('p', { volumes: false }, (event) => seen.push(event));
  t.deepEqual(seen, [step]);
  t.deepEqual(down, result.value);
});

test('an aborted command closes its stream, so the engine sees it', async (t) => {
  const closed = Promise.withResolvers<undefined>();
  await using engine = await fakeEngine({
    'DELETE /nest/deployments/p': (reply) => {
      reply.writeHead(200).flushHeaders();
      reply.on('close', () => closed.resolve(undefined));
      controller.abort(new Error('stop'));
    },
  });
  const controller = new AbortController();
  const down = engineClient(engine.paths.engineSocket).down(
    'p',
    { volumes: false },
    () => undefined,
    controller.signal,
  );
  await t.throwsAsync(down, { message: 'stop' });
  await t.notThrowsAsync(closed.promise);
});

test('dockerode stays on the engine’s socket whatever DOCKER_HOST says', async (t) => {
  process.env['DOCKER_HOST'] = 'tcp://127.0.0.1:1';
  t.teardown(() => delete process.env['DOCKER_HOST']);
  await using engine = await fakeEngine({ 'GET /images/json': json([]) });
  const docker = await openDocker(engine.paths.engineSocket);
  t.deepEqual(await docked(engine.paths.engineSocket, docker.listImages()), []);
});

test('lines may be cut anywhere, and end with LF or CR LF', async (t) => {
  const stream = new PassThrough();
  for (const byte of Buffer.from('{"ä":1}\r\n\n{"b":2}')) stream.write(Buffer.from([byte]));
  stream.end();
  t.deepEqual(await all(lines(stream)), ['{"ä":1}', '{"b":2}']);
});

test('a line without an end is refused before it fills the memory', async (t) => {
  const stream = new PassThrough();
  stream.end(Buffer.alloc(2 * 1024 ** 2, 'x'));
  await t.throwsAsync(all(lines(stream)), { name: 'NestError' });
});
