import test from 'ava';
import type { ContainerRecord } from '../../../guest-agent/api.ts';
import type { Clock } from '../../../guest-agent/clock.ts';
import { restartDelay } from '../../../guest-agent/container/restart-policy.ts';
import type { AgentClient } from '../client.ts';
import { openFixture, run, shell } from '../fixture.ts';

/** Time goes on only when a test says so. */
function manualClock(): Clock & { timers: { milliseconds: number; action: () => void }[] } {
  const timers: { milliseconds: number; action: () => void }[] = [];
  return {
    timers,
    now: () => Date.now(),
    after(milliseconds, action) {
      const timer = { milliseconds, action };
      timers.push(timer);
      return () => {
        if (timers.includes(timer)) timers.splice(timers.indexOf(timer), 1);
      };
    },
  };
}

async function statusOf(client: AgentClient, id: string, wanted: string) {
  const { stream } = await client.open('GET', '/v1/events');
  let text = '';
  for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    const { state } = (await client.ask('GET', `/v1/containers/${id}`)).body as ContainerRecord;
    if (state.status === wanted) return state;
  }
  throw new Error(`no ${wanted} in ${text}`);
}

test('a failed container restarts with growing delays until its retries are used up', async (t) => {
  const clock = manualClock();
  const { client } = await openFixture(t, clock);
  const spec = shell('exit 2', { restart: { name: 'on-failure', maximumRetries: 3 } });
  await run(client, spec, false);
  const delays: number[] = [];
  for (let restart = 0; restart < 3; restart += 1) {
    t.like(await statusOf(client, spec.id, 'restarting'), { restarts: restart, exitCode: 2 });
    const timer = clock.timers.shift();
    delays.push(timer?.milliseconds ?? 0);
    timer?.action();
    if (restart < 2) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  t.deepEqual(delays, [100, 200, 400]);
  const { body } = await client.ask('POST', `/v1/containers/${spec.id}/wait`);
  t.like(body, { status: 'exited', restarts: 3, exitCode: 2 });
});

test('a stop by the user ends a restart that is due', async (t) => {
  const clock = manualClock();
  const { client } = await openFixture(t, clock);
  const spec = shell('exit 0', { restart: { name: 'always', maximumRetries: 0 } });
  await run(client, spec, false);
  await statusOf(client, spec.id, 'restarting');
  t.like((await client.ask('POST', `/v1/containers/${spec.id}/stop`)).body, { status: 'exited' });
  t.deepEqual(clock.timers, []);
});

test('a stopped container is not restarted, whatever its policy', async (t) => {
  const { client } = await openFixture(t, manualClock());
  const spec = shell('exec sleep 60', { restart: { name: 'always', maximumRetries: 0 } });
  await run(client, spec, false);
  t.like((await client.ask('POST', `/v1/containers/${spec.id}/stop`)).body, { status: 'exited', exitCode: 143 });
});

test('delays double up to a minute and begin again after ten seconds up', (t) => {
  const policy = { name: 'always', maximumRetries: 0 } as const;
  const run = { exitCode: 0, restarts: 5, ranFor: 50, lastDelay: 100, unhealthy: false };
  t.is(restartDelay(policy, { ...run, lastDelay: 0 }), 100);
  t.is(restartDelay(policy, run), 200);
  t.is(restartDelay(policy, { ...run, lastDelay: 51_200 }), 60_000);
  t.is(restartDelay(policy, { ...run, lastDelay: 51_200, ranFor: 10_000 }), 100);
});

test('each policy restarts what it should', (t) => {
  const ended = (exitCode: number, restarts = 0, unhealthy = false) => ({
    ...{ exitCode, restarts, ranFor: 0, lastDelay: 0, unhealthy },
  });
  const restarts = (name: 'no' | 'always' | 'on-failure' | 'unless-stopped', exitCode: number) =>
    restartDelay({ name, maximumRetries: 0 }, ended(exitCode)) !== undefined;
  t.deepEqual([restarts('no', 1), restarts('always', 0), restarts('unless-stopped', 0)], [false, true, true]);
  t.deepEqual([restarts('on-failure', 0), restarts('on-failure', 1)], [false, true]);
  t.is(restartDelay({ name: 'on-failure', maximumRetries: 2 }, ended(1, 2)), undefined);
  t.is(restartDelay({ name: 'no', maximumRetries: 0 }, ended(0, 0, true)), 100, 'unhealthy');
  t.is(restartDelay({ name: 'on-failure', maximumRetries: 2 }, ended(0, 2, true)), undefined);
});
