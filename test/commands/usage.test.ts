import test from 'ava';
import { empty, failure, fakeEngine, json, type Handler } from '../client/fake-engine.ts';
import { nest } from './nest.ts';

test.serial('pause and unpause name what they did', async (t) => {
  await using engine = await fakeEngine({ 'POST /containers/*/pause': empty, 'POST /containers/a/unpause': empty });
  t.is((await nest(['pause', 'a', 'b'], engine.env)).stdout, 'a\nb\n');
  t.is((await nest(['unpause', 'a'], engine.env)).stdout, 'a\n');
});

test.serial('update sends what its flags say and nothing else', async (t) => {
  await using engine = await fakeEngine({ 'POST /containers/a/update': json({ Warnings: [] }) });
  await nest(['update', '-m', '64m', '--cpus', '0.5', '--pids-limit=-1', '--restart', 'on-failure:3', 'a'], engine.env);
  t.deepEqual(engine.seen[0]?.body, {
    Memory: 64 << 20,
    NanoCpus: 5e8,
    PidsLimit: -1,
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
  });
  const { stderr, exitCode } = await nest(['update', 'a'], engine.env);
  t.regex(stderr, /nothing to change/);
  t.not(exitCode, 0);
});

test.serial('wait prints the exit code of each, and tells of those that are not there', async (t) => {
  await using engine = await fakeEngine({
    'POST /containers/a/wait': json({ StatusCode: 3 }),
    'POST /containers/b/wait': failure(404, { message: 'no container `b`', code: 'not-found' }),
  });
  t.like(await nest(['wait', 'a', 'b'], engine.env), {
    stdout: '3\n',
    stderr: 'Error: no container `b`\n',
    exitCode: 1,
  });
});

test.serial('inspect finds containers and images, and prints them as JSON either way', async (t) => {
  const missing = failure(404, { message: 'not there', code: 'not-found' });
  await using engine = await fakeEngine({
    'GET /containers/web/json': json({ Id: 'c' }),
    'GET /containers/hello/json': missing,
    'GET /images/hello/json': json({ Id: 'i' }),
    'GET /containers/none/json': missing,
    'GET /images/none/json': failure(404, { message: 'not there', code: 'image-not-found' }),
  });
  t.deepEqual(JSON.parse((await nest(['inspect', 'web', 'hello'], engine.env)).stdout), [{ Id: 'c' }, { Id: 'i' }]);
  t.deepEqual(JSON.parse((await nest(['inspect', '--json', 'web'], engine.env)).stdout), [{ Id: 'c' }]);
  t.regex((await nest(['inspect', 'none'], engine.env)).stderr, /No such container or image: none/);
});

test.serial('top shows the columns that the engine gives', async (t) => {
  await using engine = await fakeEngine({
    'GET /containers/web/top': json({
      Titles: ['PID', 'CMD'],
      Processes: [
        ['12', 'sh -c \u001b[31m'],
        ['7', 'sleep'],
      ],
    }),
  });
  t.is(
    (await nest(['top', 'web', '-o', 'pid,cmd'], engine.env)).stdout,
    'PID  CMD\n12   sh -c \\x1b[31m\n7    sleep\n',
  );
  t.is(engine.seen[0]?.query.get('ps_args'), '-o pid,cmd');
});

test.serial('events are one line each', async (t) => {
  const event = {
    Type: 'container',
    Action: 'die',
    Actor: { ID: 'f'.repeat(64), Attributes: { name: 'web', image: 'hello', exitCode: '3' } },
    timeNano: 1_700_000_000_123_000_000,
  };
  const stream: Handler = (reply) => void reply.end(`${JSON.stringify(event)}\n`);
  await using engine = await fakeEngine({ 'GET /events': stream });
  t.is(
    (await nest(['events', '--filter', 'event=die'], engine.env)).stdout,
    '2023-11-14T22:13:20.123Z container die ffffffffffff web image=hello exitCode=3\n',
  );
  t.is(engine.seen[0]?.query.get('filters'), '{"event":["die"]}');
});

const READING = {
  id: 'c1',
  name: '/web',
  cpu_stats: { cpu_usage: { total_usage: 3e9 }, system_cpu_usage: 12e9, online_cpus: 2 },
  precpu_stats: { cpu_usage: { total_usage: 2e9 }, system_cpu_usage: 8e9, online_cpus: 2 },
  memory_stats: { usage: 3 << 20, limit: 64 << 20, stats: { inactive_file: 1 << 20 } },
  pids_stats: { current: 2 },
  blkio_stats: { io_service_bytes_recursive: [{ op: 'read', value: 4096 }] },
  networks: { eth0: { rx_bytes: 10, tx_bytes: 2048 } },
};

test.serial('stats computes as Docker does', async (t) => {
  await using engine = await fakeEngine({ 'GET /containers/web/stats': json(READING) });
  t.is(
    (await nest(['stats', '--no-stream', 'web'], engine.env)).stdout,
    'NAME  CPU     MEMORY  LIMIT   NET IN / OUT  DISK R / W   PIDS\n' +
      'web   50.0 %  2 MiB   64 MiB  10 B / 2 KiB  4 KiB / 0 B  2\n',
  );
});

test.serial(
  'stats of a container that does not run are nothing; with --json a stream is one object a line',
  async (t) => {
    const idle = {
      ...READING,
      memory_stats: {},
      pids_stats: {},
      networks: undefined,
      cpu_stats: { cpu_usage: { total_usage: 0 } },
    };
    const stream: Handler = (reply) => void reply.end(`${JSON.stringify(READING)}\n${JSON.stringify(idle)}\n`);
    await using engine = await fakeEngine({ 'GET /containers/web/stats': stream });
    const lines = (await nest(['stats', '--json', 'web'], engine.env)).stdout.trim().split('\n');
    t.like(JSON.parse(lines[0] ?? ''), { name: 'web', cpu: 50, memory: 2 << 20, sent: 2048 });
    t.like(JSON.parse(lines[1] ?? ''), { name: 'web', cpu: 0, memory: 0, pids: 0 });
  },
);
