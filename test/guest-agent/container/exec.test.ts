import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ExecSpec, ExecState } from '../../../guest-agent/api.ts';
import type { ToZygote } from '../../../guest-agent/zygote/protocol.ts';
import { type AgentClient, framed, readAll } from '../client.ts';
import { openFixture, run, shell } from '../fixture.ts';

const command = (script: string, change: Partial<ExecSpec> = {}): ExecSpec => ({
  argv: ['sh', '-c', script],
  env: [],
  cwd: '/',
  user: '',
  stdin: false,
  ...change,
});

async function createExec(client: AgentClient, container: string, spec: ExecSpec): Promise<string> {
  const { body } = await client.ask('POST', `/v1/containers/${container}/exec`, spec);
  return (body as { execId: string }).execId;
}

test('an exec gives all its output, both streams, and its exit code', async (t) => {
  const { client, folders } = await openFixture(t);
  const container = shell('exec sleep 60');
  await run(client, container, false);
  const id = await createExec(client, container.id, command('head -c 300000 /dev/zero; echo err >&2; exit 9'));
  t.deepEqual((await client.ask('GET', `/v1/exec/${id}`)).body as ExecState, {
    running: false,
    exitCode: null,
    pid: 0,
  });
  const { stream } = await client.open('POST', `/v1/exec/${id}/start`);
  stream.end();
  const bytes = await readAll(stream);
  t.is(framed(bytes, 1).length, 300_000);
  t.is(framed(bytes, 2), 'err\n');
  t.deepEqual((await client.ask('GET', `/v1/exec/${id}`)).body as ExecState, { running: false, exitCode: 9, pid: 0 });
  t.is((await client.ask('POST', `/v1/exec/${id}/start`)).status, 409, 'an exec starts once');
  t.deepEqual(readdirSync(join(folders.runtime, 'exec')), []);
});

test('stdin reaches the process, and its end is the end of file', async (t) => {
  const { client } = await openFixture(t);
  const container = shell('exec sleep 60');
  await run(client, container, false);
  const id = await createExec(client, container.id, command('cat; echo over', { stdin: true }));
  const { stream } = await client.open('POST', `/v1/exec/${id}/start`);
  const input = 'x'.repeat(500_000);
  stream.end(input);
  t.is(framed(await readAll(stream), 1), `${input}over\n`);
});

test('a client that leaves does not stop the process', async (t) => {
  const { client, folder } = await openFixture(t);
  const container = shell('exec sleep 60');
  await run(client, container, false);
  const done = join(folder, 'done');
  const id = await createExec(client, container.id, command(`head -c 5000000 /dev/zero; mkdir ${done}`));
  const { stream } = await client.open('POST', `/v1/exec/${id}/start`);
  await new Promise((resolve) => stream.once('readable', resolve));
  stream.close();
  let state: ExecState;
  do state = (await client.ask('GET', `/v1/exec/${id}`)).body as ExecState;
  while (state.exitCode === null);
  t.is(state.exitCode, 0);
  t.true(readdirSync(folder).includes('done'));
});

test('a missing program is an error reply, with the exit code of shells', async (t) => {
  const { client } = await openFixture(t);
  const container = shell('exec sleep 60');
  await run(client, container, false);
  const id = await createExec(client, container.id, command('', { argv: ['/no/such'] }));
  const reply = await client.ask('POST', `/v1/exec/${id}/start`);
  t.is(reply.status, 400);
  t.deepEqual(reply.body, { message: 'exec: `/no/such`: no such file or directory', errno: 'ENOENT' });
  t.like((await client.ask('GET', `/v1/exec/${id}`)).body, { running: false, exitCode: 127 });
});

test('a container that does not run takes no exec', async (t) => {
  const { client } = await openFixture(t);
  const container = shell('true');
  await client.ask('POST', '/v1/containers', container);
  t.is((await client.ask('POST', `/v1/containers/${container.id}/exec`, command('true'))).status, 409);
  t.is((await client.ask('GET', '/v1/exec/none')).status, 404);
});

test('a user is looked up in the files of the container', async (t) => {
  const { client, folder, zygote } = await openFixture(t);
  writeFileSync(join(folder, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv/www:/bin/sh\n');
  writeFileSync(join(folder, 'etc/group'), 'web:x:34:\nadm:x:4:syslog,web\n');
  const container = shell('exec sleep 60', { user: 'web' });
  await run(client, container, false);
  const id = await createExec(client, container.id, command('true', { user: 'web:adm' }));
  const { stream } = await client.open('POST', `/v1/exec/${id}/start`);
  stream.end();
  await readAll(stream);
  const init = (type: ToZygote['type']) => zygote.requests.find((request) => request.type === type);
  t.like(init('start'), { init: { uid: 33, gid: 34, groups: [4], env: ['HOME=/srv/www'] } });
  t.like(init('exec'), { init: { uid: 33, gid: 4, groups: [] } });
});
