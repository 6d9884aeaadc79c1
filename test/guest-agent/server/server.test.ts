import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import * as v from 'valibot';
import { AgentInfo, ErrorReply, LayerSize } from '../../../guest-agent/api.ts';
import { agentSocket, containerFolders } from '../../../guest-agent/folders.ts';
import { readAll } from '../client.ts';
import { LAYER, openFixture, shell } from '../fixture.ts';

test('the agent tells about its guest', async (t) => {
  const { client, folders } = await openFixture(t);
  const reply = await client.ask('GET', '/v1/info');
  t.is(reply.status, 200);
  t.is(v.parse(AgentInfo, reply.body).pid, process.pid);
  t.is(statSync(agentSocket(folders)).mode & 0o777, 0o600);
});

test('what does not exist is not found, in words', async (t) => {
  const { client } = await openFixture(t);
  const wrong = ['/', '/v1/nothing', '/v1/containers/x/y', `/v1/containers/${'0'.repeat(64)}`, '/v1/exec/none', '//'];
  for (const path of wrong) {
    const reply = await client.ask('GET', path);
    t.is(reply.status, 404, path);
    t.notThrows(() => v.parse(ErrorReply, reply.body), path);
  }
  t.is((await client.ask('DELETE', '/v1/info')).status, 404);
});

test('every objection to a body is told with its field', async (t) => {
  const { client } = await openFixture(t);
  const spec = { ...shell('true'), id: '../../etc', argv: [], limits: { memory: { limit: 1 } }, extra: 1 };
  const reply = await client.ask('POST', '/v1/containers', spec);
  t.is(reply.status, 400);
  const { message } = v.parse(ErrorReply, reply.body);
  for (const field of ['id:', 'argv:', 'limits.memory.limit:', 'extra:']) t.true(message.includes(field), message);
});

test('bodies that are no JSON or too long are refused, and the agent lives on', async (t) => {
  const { client } = await openFixture(t);
  for (const bytes of ['{"id":', 'x'.repeat(3 * 1024 * 1024)]) {
    const stream = client.session.request({ ':method': 'POST', ':path': '/v1/containers' });
    const response = new Promise<Record<string, unknown>>((resolve) => stream.once('response', resolve));
    stream.on('error', () => {});
    stream.end(bytes);
    t.is((await response)[':status'], 400);
    stream.resume();
  }
  t.is((await client.ask('GET', '/v1/info')).status, 200);
});

test('what a container wrote goes to a disk as the same archive that goes through the trunk', async (t) => {
  const { client, folder, folders } = await openFixture(t);
  const spec = shell('true');
  await client.ask('POST', '/v1/containers', spec);
  writeFileSync(join(containerFolders(folders, spec.id).upper, 'file'), 'x'.repeat(300_000));
  const serial = `s${'0'.repeat(19)}`;
  const disk = join(folder, `disk-${serial}`);
  writeFileSync(disk, Buffer.alloc(1_000_000, 'old'));
  const reply = await client.ask('PUT', `/v1/containers/${spec.id}/layer`, { serial });
  const { bytes } = v.parse(LayerSize, reply.body);
  const { stream } = await client.open('GET', `/v1/containers/${spec.id}/layer`);
  t.true(bytes > 300_000);
  t.deepEqual(readFileSync(disk).subarray(0, bytes), await readAll(stream));
  t.is((await client.ask('PUT', `/v1/containers/${spec.id}/layer`, { serial: '../../x' })).status, 400);
});

test('odd queries are refused', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('true');
  await client.ask('POST', '/v1/containers', spec);
  const path = `/v1/containers/${spec.id}`;
  t.is((await client.ask('GET', `${path}/logs?tail=-1`)).status, 400);
  t.is((await client.ask('GET', `${path}/logs?since=yesterday`)).status, 400);
  t.is((await client.ask('POST', `${path}/stop?seconds=1e9`)).status, 400);
  t.is((await client.ask('POST', `${path}/kill`)).status, 400);
  t.is((await client.ask('POST', `${path}/ports/99999`)).status, 400);
});

test('a layer whose disk does not come is an error, a bad diff id too', async (t) => {
  const { client } = await openFixture(t);
  const missing = `sha256:${'f0'.repeat(32)}`;
  t.is((await client.ask('PUT', `/v1/layers/${missing}`, { serial: 'f0'.repeat(10) })).status, 500);
  t.is((await client.ask('PUT', '/v1/layers/sha256:..', { serial: 'ab'.repeat(10) })).status, 400);
  t.deepEqual((await client.ask('GET', '/v1/layers')).body, [LAYER]);
});

test('noise instead of HTTP/2 disturbs nobody', async (t) => {
  const { client, folders } = await openFixture(t);
  const noise = connectSocket(agentSocket(folders));
  noise.on('error', () => {});
  const closed = new Promise((resolve) => noise.once('close', resolve));
  noise.end('GET / HTTP/1.1\r\n\r\n');
  noise.resume();
  await closed;
  t.is((await client.ask('GET', '/v1/info')).status, 200);
});

test('a request to restart is answered before the agent ends', async (t) => {
  const { client, ended } = await openFixture(t);
  const { stream, status } = await client.open('POST', '/v1/restart');
  stream.end();
  t.is(status, 204);
  await readAll(stream);
  await ended;
  t.pass();
});
