import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ContainerRecord, ContainerState, HealthCheck, HealthReport } from '../../../guest-agent/api.ts';
import { judge } from '../../../guest-agent/health/judge.ts';
import type { AgentClient } from '../client.ts';
import { openFixture, run, shell } from '../fixture.ts';

const check = (command: string, change: Partial<HealthCheck> = {}): HealthCheck => ({
  argv: ['sh', '-c', command],
  interval: 30,
  timeout: 5000,
  retries: 3,
  startPeriod: 0,
  startInterval: 10,
  ...change,
});

test('one success is health, a row of failures is illness', (t) => {
  const probe = { failed: true, excused: false, retries: 2 };
  const starting = { health: 'starting' as const, failingStreak: 0 };
  t.deepEqual(judge(starting, { ...probe, failed: false }), { health: 'healthy', failingStreak: 0 });
  const once = judge(starting, probe);
  t.deepEqual(once, { health: 'starting', failingStreak: 1 });
  t.deepEqual(judge(once, probe), { health: 'unhealthy', failingStreak: 2 });
  t.deepEqual(judge(starting, { ...probe, excused: true }), starting, 'the start period excuses');
  t.deepEqual(judge({ health: 'unhealthy', failingStreak: 9 }, { ...probe, failed: false }).health, 'healthy');
});

/** The first state that is as wanted, from the events. */
async function until(client: AgentClient, id: string, wanted: (state: ContainerState) => boolean) {
  const { stream } = await client.open('GET', '/v1/events');
  let text = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    text += chunk.toString();
    for (const line of text.split('\n').slice(0, -1)) {
      const event = JSON.parse(line) as { state?: ContainerState; containers?: ContainerRecord[] };
      const states = [event.state, ...(event.containers ?? []).map(({ state }) => state)];
      const found = states.find((state) => state?.id === id && wanted(state));
      if (found !== undefined) return found;
    }
    text = text.slice(text.lastIndexOf('\n') + 1);
  }
  throw new Error('the events ended');
}

const report = async (client: AgentClient, id: string) =>
  (await client.ask('GET', `/v1/containers/${id}/health`)).body as HealthReport;

test('a container that works becomes healthy, and what the last probes said is kept', async (t) => {
  const { client, folder } = await openFixture(t);
  const spec = shell('exec sleep 60', { health: check('yes | head -c 100000; echo oops >&2') });
  t.is((await run(client, spec, false)).status, 'running');
  await until(client, spec.id, ({ health }) => health === 'healthy');
  const { log, ...rest } = await report(client, spec.id);
  t.deepEqual(rest, { status: 'healthy', failingStreak: 0 });
  t.is(log[0]?.exitCode, 0);
  t.is(log[0]?.output.length, 4096);
  t.true((log[0]?.end ?? 0) >= (log[0]?.start ?? Infinity));
  t.deepEqual(
    readdirSync(join(folder, 'run/exec')).filter((name) => !existsSync(join(folder, 'run/exec', name, 'stdout'))),
    [],
    'no folder of a probe that has ended is left',
  );
});

test('an unhealthy container is restarted, whatever its restart policy, and its health begins anew', async (t) => {
  const { client, folder } = await openFixture(t);
  mkdirSync(join(folder, 'flags'));
  const sick = join(folder, 'flags/sick');
  const spec = shell('trap "exit 0" TERM; while :; do sleep 0.02; done', {
    health: check(`test ! -e ${sick}`, { retries: 2 }),
  });
  await run(client, spec, false);
  await until(client, spec.id, ({ health }) => health === 'healthy');
  writeFileSync(sick, '');
  await until(client, spec.id, ({ health }) => health === 'unhealthy');
  rmSync(sick);
  const healed = await until(client, spec.id, ({ restarts, health }) => restarts === 1 && health === 'healthy');
  t.like(healed, { status: 'running', restarts: 1 });
});

test('a policy with no attempts left leaves an unhealthy container running', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('trap "exit 1" TERM; while :; do sleep 0.02; done', {
    restart: { name: 'on-failure', maximumRetries: 1 },
    health: check('echo broken; exit 3', { retries: 1 }),
  });
  await run(client, spec, false);
  await until(client, spec.id, ({ restarts, health }) => restarts === 1 && health === 'unhealthy');
  t.like(await until(client, spec.id, ({ health }) => health === 'unhealthy'), { status: 'running', restarts: 1 });
  t.like((await report(client, spec.id)).log[0], { exitCode: 3, output: 'broken\n' });
});

test('a probe that takes too long is killed and has failed', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('exec sleep 60', { health: check('echo waiting; sleep 60', { timeout: 200, retries: 1000 }) });
  await run(client, spec, false);
  let log: HealthReport['log'] = [];
  while (log.length === 0) ({ log } = await report(client, spec.id));
  t.like(log[0], { exitCode: -1, output: 'Health check exceeded timeout (0.2s): waiting\n' });
});

test('failures in the start period do not count, and its probes come in their own interval', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('exec sleep 60', {
    health: check('exit 1', { interval: 2 ** 30, startInterval: 10, startPeriod: 600_000, retries: 1 }),
  });
  await run(client, spec, false);
  let log: HealthReport['log'] = [];
  while (log.length < 3) ({ log } = await report(client, spec.id));
  t.like(await report(client, spec.id), { status: 'starting', failingStreak: 0 });
});

test('a container without a check has no health, and one that cannot run its check says why', async (t) => {
  const { client } = await openFixture(t);
  const plain = shell('exec sleep 60');
  await run(client, plain, false);
  t.deepEqual(await report(client, plain.id), { status: 'none', failingStreak: 0, log: [] });
  const spec = shell('exec sleep 60', { health: check('', { argv: ['no-such-check'], retries: 1000 }) });
  await run(client, spec, false);
  let log: HealthReport['log'] = [];
  while (log.length === 0) ({ log } = await report(client, spec.id));
  t.like(log[0], { exitCode: -1 });
  t.regex(log[0]?.output ?? '', /no-such-check.*not found/);
});
