import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ContainerRecord, ContainerState, type ErrorReply } from '../../../guest-agent/api.ts';
import * as v from 'valibot';
import { containerFolders } from '../../../guest-agent/folders.ts';
import { framed, readAll } from '../client.ts';
import { openFixture, run, shell } from '../fixture.ts';

test('a container that prints and exits at once loses no line', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; echo oops >&2; exit 3');
  const state = v.parse(ContainerState, await run(client, spec));
  t.like(state, { status: 'exited', exitCode: 3, pid: 0, oomKilled: false });
  const { stream } = await client.open('GET', `/v1/containers/${spec.id}/logs?stdout=1&stderr=1`);
  const bytes = await readAll(stream);
  t.is(framed(bytes, 1), Array.from({ length: 2000 }, (_, i) => `line ${i}\n`).join(''));
  t.is(framed(bytes, 2), 'oops\n');
});

test('creating the same container twice is one container, another spec is a conflict', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('true');
  t.is((await client.ask('POST', '/v1/containers', spec)).status, 201);
  t.is((await client.ask('POST', '/v1/containers', spec)).status, 200);
  t.is((await client.ask('POST', '/v1/containers', { ...spec, hostname: 'other' })).status, 409);
  const list = await client.ask('GET', '/v1/containers');
  t.deepEqual(
    v.parse(v.array(ContainerRecord), list.body).map((record) => record.spec),
    [spec],
  );
});

test('a container with a layer that is not mounted is not created', async (t) => {
  const { client } = await openFixture(t);
  const reply = await client.ask('POST', '/v1/containers', shell('true', { layers: [`sha256:${'0'.repeat(64)}`] }));
  t.is(reply.status, 409);
  t.deepEqual((await client.ask('GET', '/v1/containers')).body, []);
});

test('starting a running container succeeds and changes nothing', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('exec sleep 60');
  const first = await run(client, spec, false);
  const second = await client.ask('POST', `/v1/containers/${spec.id}/start`);
  t.is(second.status, 200);
  t.deepEqual(second.body, first);
});

test('a missing program is told in the words docker expects and leaves the container created', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('', { argv: ['no-such-program'] });
  await client.ask('POST', '/v1/containers', spec);
  const reply = await client.ask('POST', `/v1/containers/${spec.id}/start`);
  t.is(reply.status, 400);
  t.deepEqual(reply.body as ErrorReply, {
    message: 'exec: `no-such-program`: executable file not found in $PATH',
    errno: 'ENOENT',
  });
  const { state } = (await client.ask('GET', `/v1/containers/${spec.id}`)).body as ContainerRecord;
  t.like(state, { status: 'created', exitCode: 127, error: (reply.body as ErrorReply).message });
});

test('stop sends the stop signal, and kills what outlives the grace period', async (t) => {
  const { client } = await openFixture(t);
  const polite = shell('trap "exit 7" INT; while :; do sleep 0.05; done', { stopSignal: 'SIGINT' });
  const deaf = shell('trap "" TERM; echo ready; while :; do sleep 0.05; done');
  await run(client, polite, false);
  await run(client, deaf, false);
  const logs = await client.open('GET', `/v1/containers/${deaf.id}/logs?stdout=1&follow=1`);
  await new Promise((resolve) => logs.stream.once('data', resolve));
  const stopped = await client.ask('POST', `/v1/containers/${polite.id}/stop`);
  t.like(stopped.body, { status: 'exited', exitCode: 7 });
  const killed = await client.ask('POST', `/v1/containers/${deaf.id}/stop?seconds=0`);
  t.like(killed.body, { status: 'exited', exitCode: 137, oomKilled: false });
  t.is((await client.ask('POST', `/v1/containers/${deaf.id}/stop`)).status, 200, 'stopping a stopped one succeeds');
});

test('kill refuses a container that does not run, and a signal that does not exist', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('exec sleep 60');
  await client.ask('POST', '/v1/containers', spec);
  t.is((await client.ask('POST', `/v1/containers/${spec.id}/kill?signal=SIGTERM`)).status, 409);
  await client.ask('POST', `/v1/containers/${spec.id}/start`);
  t.is((await client.ask('POST', `/v1/containers/${spec.id}/kill?signal=SIGNONE`)).status, 400);
  t.is((await client.ask('POST', `/v1/containers/${spec.id}/kill?signal=SIGUSR1`)).status, 204);
  t.like((await client.ask('POST', `/v1/containers/${spec.id}/wait`)).body, { exitCode: 128 + 10 });
});

test('a container that the kernel killed for want of memory is marked', async (t) => {
  const { client, folder } = await openFixture(t);
  const spec = shell('exec sleep 60');
  await run(client, spec, false);
  const [cgroup = ''] = readdirSync(join(folder, 'cgroup'));
  writeFileSync(join(folder, 'cgroup', cgroup, 'oom'), '');
  await client.ask('POST', `/v1/containers/${spec.id}/kill?signal=SIGKILL`);
  t.like((await client.ask('POST', `/v1/containers/${spec.id}/wait`)).body, { exitCode: 137, oomKilled: true });
});

test('delete refuses a running container, unless forced, and succeeds for an absent one', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('exec sleep 60');
  await run(client, spec, false);
  t.is((await client.ask('DELETE', `/v1/containers/${spec.id}`)).status, 409);
  t.is((await client.ask('DELETE', `/v1/containers/${spec.id}?force=1`)).status, 204);
  t.is((await client.ask('DELETE', `/v1/containers/${spec.id}`)).status, 204);
  t.is((await client.ask('GET', `/v1/containers/${spec.id}`)).status, 404);
});

test('a layer in use stays, one that is not goes', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('true');
  await client.ask('POST', '/v1/containers', spec);
  const layer = `/v1/layers/${spec.layers[0]}`;
  t.is((await client.ask('DELETE', layer)).status, 409);
  await client.ask('DELETE', `/v1/containers/${spec.id}`);
  t.is((await client.ask('DELETE', layer)).status, 204);
  t.is((await client.ask('DELETE', layer)).status, 204);
  t.deepEqual((await client.ask('GET', '/v1/layers')).body, []);
});

test('events begin with a snapshot and tell every change', async (t) => {
  const { client } = await openFixture(t);
  const { stream } = await client.open('GET', '/v1/events');
  const spec = shell('exit 4');
  await run(client, spec);
  await client.ask('DELETE', `/v1/containers/${spec.id}`);
  let text = '';
  for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.includes('removed')) break;
  }
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; state?: ContainerState });
  t.deepEqual(
    events.map(({ type, state }) => state?.status ?? type),
    ['snapshot', 'created', 'running', 'exited', 'removed'],
  );
});

test('wait sends its headers at once', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('exit 5');
  await client.ask('POST', '/v1/containers', spec);
  const waiting = await client.open('POST', `/v1/containers/${spec.id}/wait`);
  t.is(waiting.status, 200);
  await client.ask('POST', `/v1/containers/${spec.id}/start`);
  t.like(JSON.parse((await readAll(waiting.stream)).toString()), { exitCode: 5 });
});

test('a limit of storage is on the folders that a container writes to', async (t) => {
  const { client, folders } = await openFixture(t);
  const spec = shell('true', { storageLimit: 1 << 20 });
  t.is((await client.ask('POST', '/v1/containers', spec)).status, 201);
  const { state, upper } = containerFolders(folders, spec.id);
  const limits = () => readdirSync(state).filter((name) => name.endsWith('.limit'));
  t.deepEqual(limits().sort(), ['upper.limit', 'work.limit']);
  t.is(readFileSync(`${upper}.limit`, 'utf8'), `${statSync(state).ino} ${1 << 20}`, 'the number is that of its folder');
  const other = shell('true');
  await client.ask('POST', '/v1/containers', other);
  t.deepEqual(readdirSync(containerFolders(folders, other.id).state).sort(), ['spec.json', 'upper', 'work']);
  t.is((await client.ask('DELETE', `/v1/containers/${spec.id}`)).status, 204);
});
