import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { openFixture, run, shell } from '../fixture.ts';

const TICKING = 'trap "exit 4" TERM; i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done';

test('a paused container stands still and goes on where it was', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell(TICKING);
  await run(client, spec, false);
  const path = `/v1/containers/${spec.id}`;
  t.like(await client.ask('POST', `${path}/pause`), { status: 200, body: { status: 'running', paused: true } });
  t.is((await client.ask('POST', `${path}/pause`)).status, 200, 'pausing a paused one succeeds');
  const exec = { argv: ['true'], env: [], cwd: '/', user: '', stdin: false };
  t.like(await client.ask('POST', `${path}/exec`, exec), {
    status: 409,
    body: { message: `exec in container \`${spec.id}\`: it is paused, resume it first` },
  });
  t.like((await client.ask('POST', `${path}/resume`)).body, { status: 'running', paused: false });
  t.is((await client.ask('POST', `${path}/resume`)).status, 200, 'resuming a running one succeeds');
  t.like((await client.ask('POST', `${path}/stop`)).body, { status: 'exited', exitCode: 4, paused: false });
  t.is((await client.ask('POST', `${path}/pause`)).status, 409);
  t.is((await client.ask('POST', `${path}/resume`)).status, 409);
});

test('a paused container that is stopped gets to hear its signal', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell(TICKING);
  await run(client, spec, false);
  await client.ask('POST', `/v1/containers/${spec.id}/pause`);
  t.like((await client.ask('POST', `/v1/containers/${spec.id}/stop`)).body, { exitCode: 4, paused: false });
});

test('limits and restart policy of a running container change, and stay for the next start', async (t) => {
  const { client, folder } = await openFixture(t);
  const spec = shell('exec sleep 60');
  await run(client, spec, false);
  const path = `/v1/containers/${spec.id}`;
  const change = { limits: { memory: { limit: 64 << 20 } }, restart: { name: 'always' as const, maximumRetries: 0 } };
  t.like((await client.ask('POST', `${path}/update`, change)).body, { spec: { ...spec, ...change } });
  const [cgroup = ''] = readdirSync(join(folder, 'cgroup'));
  const file = join(folder, 'cgroup', cgroup, 'limits.json');
  t.deepEqual(JSON.parse(readFileSync(file, 'utf8')), change.limits);
  t.is((await client.ask('POST', `${path}/update`, { limits: { memory: { limit: 5 } } })).status, 400);
  t.like((await client.ask('GET', path)).body, { spec: { ...spec, ...change } });
  const stored = join(folder, 'state/containers', spec.id, 'spec.json');
  t.true(existsSync(stored));
  t.like(JSON.parse(readFileSync(stored, 'utf8')), { spec: change });
});
