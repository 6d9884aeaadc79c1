import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as v from 'valibot';
import { openAgent } from '../../guest-agent/agent.ts';
import { AgentInfo, ErrorReply, REHEARSAL_LAYER } from '../../guest-agent/api.ts';
import { systemClock } from '../../guest-agent/clock.ts';
import { agentSocket } from '../../guest-agent/folders.ts';
import { connectClient } from './client.ts';
import { fakeKernel } from './fake-kernel.ts';
import { fakeMachine, IDENTITY } from './fake-machine.ts';
import { openFakeZygote } from './fake-zygote.ts';
import { run, shell, testFolders } from './fixture.ts';

/** Starts agents of one guest, one after another. */
async function openGuest(t: ExecutionContext) {
  const { folder, folders } = testFolders(t);
  const zygoteSocket = join(folder, 'zygote.sock');
  const zygote = await openFakeZygote(zygoteSocket);
  t.teardown(() => zygote.close());
  const machine = fakeMachine();
  return {
    machine,
    async start() {
      const kernel = fakeKernel(folder);
      const agent = await openAgent({
        folders,
        clock: systemClock,
        kernel,
        machine,
        zygoteSocket,
        slots: 2,
        endAgent: () => {},
      });
      const client = connectClient(agentSocket(folders));
      const close = () => {
        client.close();
        agent.close();
      };
      t.teardown(close);
      return { client, close };
    },
  };
}

test('a guest without identity tells of itself without reading its boot id, and refuses all else', async (t) => {
  const { client } = await (await openGuest(t)).start();
  t.is(v.parse(AgentInfo, (await client.ask('GET', '/v1/info')).body).bootId, null);
  for (const [method, path] of [
    ['GET', '/v1/containers'],
    ['GET', '/v1/events'],
    ['PUT', `/v1/layers/sha256:${'ab'.repeat(32)}`],
    ['POST', '/v1/restart'],
  ] as const) {
    const { status, body } = await client.ask(method, path);
    t.is(status, 409, path);
    t.regex(v.parse(ErrorReply, body).message, /no identity yet/);
  }
});

test('an identity is random, in time and named before the guest touches its disk', async (t) => {
  const guest = await openGuest(t);
  const { client } = await guest.start();
  const { status, body } = await client.ask('PUT', '/v1/identity', IDENTITY);
  t.is(status, 200);
  t.is(v.parse(AgentInfo, body).bootId, guest.machine.bootId());
  t.deepEqual(guest.machine.done, [
    'entropy 64',
    `clock ${IDENTITY.now}`,
    'hostname web-1',
    `machine-id ${IDENTITY.machineId}`,
    'mount',
  ]);
  t.is((await client.ask('GET', '/v1/containers')).status, 200);
});

test('an identity can be told again, also to the next agent; another one is refused', async (t) => {
  const guest = await openGuest(t);
  const first = await guest.start();
  await first.client.ask('PUT', '/v1/identity', IDENTITY);
  first.close();
  const { client } = await guest.start();
  t.is((await client.ask('GET', '/v1/containers')).status, 200);
  t.is((await client.ask('PUT', '/v1/identity', IDENTITY)).status, 200);
  t.is((await client.ask('PUT', '/v1/identity', { ...IDENTITY, hostname: 'web-2' })).status, 409);
  t.false(guest.machine.done.includes('hostname web-2'));
});

test('an identity that is none is refused as a whole', async (t) => {
  const guest = await openGuest(t);
  const { client } = await guest.start();
  for (const wrong of [{ entropy: '' }, { machineId: '../../etc' }, { hostname: 'a\nb' }, { now: -1 }])
    t.is((await client.ask('PUT', '/v1/identity', { ...IDENTITY, ...wrong })).status, 400, JSON.stringify(wrong));
  t.deepEqual(guest.machine.done, []);
});

test('the clock can be set at any time', async (t) => {
  const guest = await openGuest(t);
  const { client } = await guest.start();
  t.is((await client.ask('PUT', '/v1/clock', { now: 1_700_000_000_000 })).status, 204);
  t.deepEqual(guest.machine.done, ['clock 1700000000000']);
});

test('a rehearsal runs containers like a guest with an identity, and leaves one without', async (t) => {
  const guest = await openGuest(t);
  const { client } = await guest.start();
  t.is((await client.ask('PUT', '/v1/rehearsal', IDENTITY)).status, 204);
  t.is(v.parse(AgentInfo, (await client.ask('GET', '/v1/info')).body).bootId, null);
  t.is((await client.ask('PUT', '/v1/identity', IDENTITY)).status, 409);
  const spec = shell('true', { layers: [REHEARSAL_LAYER] });
  t.like(await run(client, spec), { status: 'exited', exitCode: 0 });
  t.is((await client.ask('DELETE', '/v1/rehearsal')).status, 409, 'there is a container');
  await client.ask('DELETE', `/v1/containers/${spec.id}`);
  t.is((await client.ask('DELETE', '/v1/rehearsal')).status, 204);
  t.is(guest.machine.done.at(-1), 'sync');
  t.is((await client.ask('GET', '/v1/containers')).status, 409);

  t.is((await client.ask('PUT', '/v1/identity', IDENTITY)).status, 200);
  t.deepEqual((await client.ask('GET', '/v1/layers')).body, []);
  t.is((await client.ask('PUT', '/v1/rehearsal', IDENTITY)).status, 409);
});
