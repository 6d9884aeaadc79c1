import test from 'ava';
import { topTable } from '../../src/engine/docker-api/top.ts';
import { openTestEngine, type TestEngine } from '../helpers/engine.ts';

let nest: TestEngine;

test.before(async () => {
  nest = await openTestEngine();
});
test.after.always(() => nest.close());

async function start(name: string, host: Record<string, unknown> = {}): Promise<string> {
  const body = { Image: 'hello', Cmd: ['sleep'], HostConfig: host };
  const { Id } = (await nest.call('POST', `/containers/create?name=${name}`, body)).body as { Id: string };
  await nest.call('POST', `/containers/${Id}/start`);
  return Id;
}

test.serial('a paused container says so, and goes on', async (t) => {
  const id = await start('pausing');
  t.is((await nest.call('POST', `/containers/${id}/pause`)).status, 204);
  t.is((await nest.call('POST', `/containers/${id}/pause`)).status, 204, 'pausing a paused one succeeds');
  t.like((await nest.call('GET', `/containers/${id}/json`)).body, {
    State: { Status: 'paused', Running: true, Paused: true },
  });
  const [listed] = (await nest.call('GET', '/containers/json?filters={"status":["paused"]}')).body as {
    Status: string;
  }[];
  t.regex(listed?.Status ?? '', /^Up .* \(Paused\)$/);
  t.is((await nest.call('POST', `/containers/${id}/unpause`)).status, 204);
  t.like((await nest.call('GET', `/containers/${id}/json`)).body, { State: { Status: 'running', Paused: false } });
  await nest.call('DELETE', `/containers/${id}?force=1`);
});

test.serial('a container that does not run cannot be paused', async (t) => {
  const { Id } = (await nest.call('POST', '/containers/create?name=idle', { Image: 'hello', Cmd: ['sleep'] })).body as {
    Id: string;
  };
  t.is((await nest.call('POST', `/containers/${Id}/pause`)).status, 409);
  t.is((await nest.call('GET', `/containers/${Id}/top`)).status, 409);
  t.like((await nest.call('GET', `/containers/${Id}/stats?stream=0`)).body, { read: '0001-01-01T00:00:00Z' });
  await nest.call('DELETE', `/containers/${Id}`);
});

test.serial('a healthy container says so, in the list, in inspect and in the events', async (t) => {
  const body = { Image: 'hello', Cmd: ['sleep'], Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 5e9 } };
  const since = Date.now() / 1000;
  const { Id } = (await nest.call('POST', '/containers/create?name=well', body)).body as { Id: string };
  await nest.call('POST', `/containers/${Id}/start`);
  t.like((await nest.call('GET', `/containers/${Id}/json`)).body, {
    State: {
      Status: 'running',
      Health: {
        Status: 'healthy',
        FailingStreak: 0,
        Log: [{ Start: '2023-11-14T22:13:20.000Z', End: '2023-11-14T22:13:20.500Z', ExitCode: 0, Output: 'fine\n' }],
      },
    },
    Config: { Healthcheck: { Test: ['CMD', '/bin/sh', '-c', 'true'], Interval: 5e9, Retries: 3 } },
  });
  const [listed] = (await nest.call('GET', '/containers/json?filters={"health":["healthy"]}')).body as {
    Status: string;
  }[];
  t.regex(listed?.Status ?? '', /^Up .* \(healthy\)$/);
  const events = await nest.stream(
    'GET',
    `/events?since=${since}&until=${Date.now() / 1000}&filters={"event":["health_status"]}`,
  );
  t.deepEqual(
    events.map(({ Action }) => Action),
    ['health_status: healthy'],
  );
  await nest.call('DELETE', `/containers/${Id}?force=1`);
});

test.serial('how much of a log is kept is taken from the options of json-file', async (t) => {
  const create = (config: object) =>
    nest.call('POST', '/containers/create?name=logged', { Image: 'hello', HostConfig: { LogConfig: config } });
  const { body } = await create({ Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '3' } });
  const { Id } = body as { Id: string };
  t.like((await nest.call('GET', `/containers/${Id}/json`)).body, {
    HostConfig: { LogConfig: { Type: 'json-file', Config: { 'max-size': '1048576', 'max-file': '3' } } },
  });
  await nest.call('DELETE', `/containers/${Id}`);
  t.is((await create({ Type: 'syslog' })).status, 501);
  t.is((await create({ Config: { 'max-size': '1' } })).status, 400);
  t.is((await create({ Config: { tag: 'x' } })).status, 501);
});

test.serial('an update changes what it names, and inspect shows it', async (t) => {
  const id = await start('changing', { Memory: 64 << 20, PidsLimit: 9 });
  const update = (body: object) => nest.call('POST', `/containers/${id}/update`, body);
  const change = {
    Memory: 128 << 20,
    CpuShares: 512,
    CpusetCpus: '',
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 },
  };
  t.deepEqual(await update(change).then(({ status, body }) => ({ status, body })), {
    status: 200,
    body: { Warnings: [] },
  });
  t.like((await nest.call('GET', `/containers/${id}/json`)).body, {
    HostConfig: {
      Memory: 128 << 20,
      PidsLimit: 9,
      CpuShares: 512,
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 },
    },
  });
  t.is((await update({ MemorySwap: 1 << 20 })).status, 400, 'less than the memory limit it has');
  t.is((await update({ Devices: [{}] })).status, 501);
  await nest.call('DELETE', `/containers/${id}?force=1`);
});

test.serial('stats have the fields that clients of Docker compute with', async (t) => {
  const id = await start('measured');
  const { body } = await nest.call('GET', `/containers/${id}/stats?stream=0&one-shot=1`);
  t.like(body, {
    id,
    name: '/measured',
    cpu_stats: {
      cpu_usage: { total_usage: 1e9, usage_in_kernelmode: 3e8, usage_in_usermode: 7e8 },
      system_cpu_usage: 8e9,
      online_cpus: 2,
      throttling_data: { periods: 10, throttled_periods: 4, throttled_time: 2e8 },
    },
    memory_stats: { usage: 3 << 20, limit: 64 << 20, stats: { inactive_file: 1 << 20 } },
    pids_stats: { current: 2, limit: 9 },
    networks: { eth0: { rx_bytes: 10, tx_bytes: 20 } },
  });
  await nest.call('DELETE', `/containers/${id}?force=1`);
});

test.serial('top lists processes in the columns asked for', async (t) => {
  const id = await start('busy');
  t.deepEqual((await nest.call('GET', `/containers/${id}/top?ps_args=-o%20pid,user,time,args`)).body, {
    Titles: ['PID', 'USER', 'TIME', 'COMMAND'],
    Processes: [['7', '33', '00:01:01', 'sleep 1000']],
  });
  t.is((await nest.call('GET', `/containers/${id}/top?ps_args=--forest`)).status, 501);
  await nest.call('DELETE', `/containers/${id}?force=1`);
});

test('the columns of ps -ef and ps aux are those of ps', (t) => {
  t.deepEqual(topTable([], '', 0).Titles, ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']);
  t.deepEqual(topTable([], 'aux', 0).Titles.slice(0, 5), ['USER', 'PID', '%CPU', 'VSZ', 'RSS']);
});
