import test from 'ava';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { openTestEngine, type TestEngine } from '../helpers/engine.ts';

let nest: TestEngine;

test.before(async () => {
  nest = await openTestEngine();
});
test.after.always(() => nest.close());

/** Bytes as they are, and the whole answer. */
async function raw(request: string): Promise<string> {
  const socket = connect(nest.paths.engineSocket);
  socket.write(request);
  return text(socket);
}

test('ping tells a client all that it negotiates by', async (t) => {
  const answer = await raw('HEAD /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  t.regex(answer, /^HTTP\/1\.1 200/);
  t.regex(answer, /\r\nApi-Version: 1\.47\r\n/);
  t.regex(answer, /\r\nOstype: linux\r\n/);
});

for (const [target, status] of [
  ['/v1.24/version', 200],
  ['/v1.47/version', 200],
  ['/v1.23/version', 400],
  ['/v1.48/version', 400],
  ['/v2.0/version', 400],
  ['/containers/nope/json', 404],
  ['/nodes', 501],
  ['/containers/a%ZZ/json', 400],
  ['//', 400],
] as const)
  test(`GET ${target} is ${status}`, async (t) => {
    const { status: given, type, body } = await nest.call('GET', target);
    t.is(given, status);
    t.is(type, 'application/json');
    if (status >= 400) t.is(typeof (body as { message: unknown }).message, 'string');
  });

test('an image name may hold slashes and a port', async (t) => {
  t.like((await nest.call('GET', '/images/localhost/hello:latest/json')).body, {
    RepoTags: ['localhost/hello:latest'],
  });
  t.is((await nest.call('GET', '/images/localhost:5000/x/y/json')).status, 404);
});

test('a body that is not JSON, not of its shape or too long is refused', async (t) => {
  const post = (body: string) =>
    raw(
      `POST /containers/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  t.regex(await post('{'), /^HTTP\/1\.1 400[^]*not JSON/);
  t.regex(await post('{"Image":1}'), /^HTTP\/1\.1 400[^]*Image: /);
  const long = 'POST /containers/create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
  const socket = connect(nest.paths.engineSocket);
  socket.on('error', () => undefined);
  socket.write(long);
  const chunk = `100000\r\n${' '.repeat(0x100000)}\r\n`;
  for (let i = 0; i < 6; i += 1) socket.write(chunk);
  t.regex(String(((await once(socket, 'data')) as [Buffer])[0]), /^HTTP\/1\.1 400[^]*longer than/);
  socket.destroy();
});

test('an upgrade to what has no stream is refused like any request', async (t) => {
  const answer = await raw(
    'POST /containers/nope/attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}',
  );
  t.regex(answer, /^HTTP\/1\.1 404 Not Found\r\nContent-Type: application\/json\r\n[^]*No such container/);
  const other = await raw('GET /version HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n');
  t.regex(other, /^HTTP\/1\.1 200/);
});

test('the body of an upgraded request is not taken for stdin, wherever the packets are cut', async (t) => {
  const container = await nest.docker.createContainer({ Image: 'hello', Cmd: ['cat'], OpenStdin: true });
  const socket = connect(nest.paths.engineSocket);
  const request =
    `POST /containers/${container.id}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\n` +
    'Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 14\r\n\r\n{"stdin":';
  socket.write(request);
  await nest.call('GET', '/_nothing');
  socket.write('true}rest');
  await once(socket, 'readable');
  await container.start();
  socket.end();
  t.is((await text(socket)).split('\r\n\r\n')[1]?.slice(8), 'rest');
});

test('wait answers its headers before the container ends', async (t) => {
  const container = await nest.docker.createContainer({ Image: 'hello' });
  const socket = connect(nest.paths.engineSocket);
  socket.write(`POST /containers/${container.id}/wait?condition=next-exit HTTP/1.1\r\nHost: x\r\n\r\n`);
  const [head] = (await once(socket, 'data')) as [Buffer];
  t.regex(String(head), /^HTTP\/1\.1 200 OK\r\n/);
  socket.destroy();
});

test('an image archive is taken in, with progress and the name at its end', async (t) => {
  const file = path.join(nest.paths.data, 'image.tar');
  await writeFile(file, 'an archive');
  const reply = await nest.docker.loadImage(createReadStream(file));
  t.regex(await text(reply), /Copying[^]*Loaded image: localhost\/hello:latest/);
});

test('a pull that fails says so inside its 200', async (t) => {
  const lines = await nest.stream('POST', '/images/create?fromImage=localhost:1/x&tag=1');
  t.like(lines.at(-1), { error: 'pull `localhost:1/x:1`: not there', errorDetail: { code: 'image-not-found' } });
});

test('guests are found by id, name and prefix, and not deleted while containers run in them', async (t) => {
  const container = await nest.docker.createContainer({ Image: 'hello', name: 'inside', Labels: { 'nest.zone': 'g' } });
  await container.start();
  const { body } = await nest.call('GET', '/nest/guests/g-1');
  const guest = body as { id: string; containers: unknown };
  t.like(body, { zone: 'g', state: 'running', vcpus: 2, memory: 1024 ** 3, committed: 32 * 1024 ** 2 });
  t.deepEqual(guest.containers, [{ id: container.id, name: 'inside', status: 'running' }]);
  t.is((await nest.call('GET', `/nest/guests/${guest.id.slice(0, 6)}`)).status, 200);
  t.is((await nest.call('GET', '/nest/guests/nope')).status, 404);
  t.like(await nest.call('DELETE', '/nest/guests/g-1'), { status: 409, body: { code: 'conflict' } });
  t.is((await nest.call('DELETE', '/nest/guests/g-1?force=1')).status, 204);
  t.is((await nest.call('GET', `/containers/${container.id}/json`)).status, 404);
});

test('what a zone waits for can be watched', async (t) => {
  const release = nest.guests.hold();
  const creating = nest.docker.createContainer({ Image: 'hello', Labels: { 'nest.zone': 'slow' } });
  const socket = connect(nest.paths.engineSocket);
  socket.write('GET /nest/progress?zone=slow HTTP/1.1\r\nHost: x\r\n\r\n');
  let seen = '';
  for await (const chunk of socket) {
    seen += String(chunk);
    if (seen.includes('"title":"Booting guest slow-1","state":"running"')) break;
  }
  release();
  await creating;
  t.pass();
});
