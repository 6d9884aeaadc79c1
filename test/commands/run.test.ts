import test from 'ava';
import { empty, events, failure, fakeEngine, frame, json, type Handler, type Stream } from '../client/fake-engine.ts';
import { nest } from './nest.ts';

const ID = 'c'.repeat(64);
const quiet: Handler = (reply) => {
  reply.writeHead(200).flushHeaders();
};

/** A container that writes, then ends with this status once it was started. */
function container(status: number, ...output: Buffer[]) {
  const started = Promise.withResolvers<undefined>();
  const routes: Record<string, Handler> = {
    'POST /containers/create': json({ Id: ID, Warnings: [] }, 201),
    'POST /containers/*/start': (reply, seen) => {
      started.resolve(undefined);
      return empty(reply, seen);
    },
    'POST /containers/*/wait': async (reply) => {
      reply.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      await started.promise;
      reply.end(JSON.stringify({ StatusCode: status }));
    },
    'GET /nest/progress': quiet,
  };
  const streams: Record<string, Stream> = {
    'POST /containers/*/attach': async (socket) => {
      await started.promise;
      socket.end(Buffer.concat(output));
    },
  };
  return { routes, streams };
}

test.serial('run passes output and exit status through, each stream to its own', async (t) => {
  const { routes, streams } = container(7, frame(1, 'out\n'), frame(2, 'err\n'));
  await using engine = await fakeEngine(routes, streams);
  const ran = await nest(['run', '--rm', 'debian', 'ls', '-l', '--json'], engine.env);
  t.deepEqual(ran, { stdout: 'out\n', stderr: 'err\n', exitCode: 7 });
  const verbs = engine.seen.map(({ route }) => route.split('/').at(-1)).filter((verb) => verb !== 'progress');
  t.deepEqual(verbs, ['create', 'attach', 'wait', 'start']);
  const create = engine.seen.find(({ route }) => route === 'POST /containers/create');
  t.like(create?.body, { Image: 'debian', Cmd: ['ls', '-l', '--json'], HostConfig: { AutoRemove: true } });
  t.is(engine.seen.find(({ route }) => route.endsWith('/wait'))?.query.get('condition'), 'removed');
});

test.serial('run turns Docker’s flags into Docker’s request', async (t) => {
  const { routes, streams } = container(0);
  await using engine = await fakeEngine(routes, streams);
  const flags =
    '-d --name web -e A=1 -p 127.0.0.1:8080:80 -m 256m --cpus 0.5 --pids-limit 64 --zone shop -l a=b -u 1:1';
  const { stdout } = await nest(['run', ...flags.split(' '), 'nginx'], engine.env);
  t.is(stdout, `${ID}\n`);
  const { body, query } = engine.seen.find(({ route }) => route === 'POST /containers/create') ?? {};
  t.is(query?.toString(), 'name=web');
  t.like(body, {
    Image: 'nginx',
    Env: ['A=1'],
    User: '1:1',
    Labels: { a: 'b', 'nest.zone': 'shop' },
    ExposedPorts: { '80/tcp': {} },
    HostConfig: {
      Memory: 256 * 1024 ** 2,
      NanoCpus: 500_000_000,
      PidsLimit: 64,
      PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] },
    },
  });
});

test.serial('run --json keeps the output and tells the status', async (t) => {
  const { routes, streams } = container(3, frame(1, 'out'), frame(2, 'err'));
  await using engine = await fakeEngine(routes, streams);
  const { stdout, exitCode } = await nest(['run', '--json', 'debian'], engine.env);
  t.deepEqual(JSON.parse(stdout), {
    id: ID,
    zone: 'default',
    exitCode: 3,
    stdout: 'out',
    stderr: 'err',
    truncated: false,
  });
  t.is(exitCode, 3);
});

const startFails = test.macro(async (t, message: string, status: number) => {
  const { routes, streams } = container(0);
  await using engine = await fakeEngine(
    {
      ...routes,
      'POST /containers/*/start': failure(400, { message, code: 'exec-failed' }),
      'DELETE /containers/*': empty,
    },
    streams,
  );
  const { stderr, exitCode } = await nest(['run', '--rm', 'debian', 'x'], engine.env);
  t.is(stderr, `Error: ${message}\n`);
  t.is(exitCode, status);
  t.true(
    engine.seen.some(({ route }) => route === `DELETE /containers/${ID}`),
    'the container is left over',
  );
});
test.serial(
  'run exits with 127 when the command is not found',
  startFails,
  'exec `x`: executable file not found in $PATH',
  127,
);
test.serial('run exits with 126 when the command is not executable', startFails, 'exec `x`: permission denied', 126);
test.serial('run exits with 125 when the container cannot be run', startFails, 'guest `default-1` has ended', 125);

test.serial('a signal that comes while the container is being started reaches it', async (t) => {
  const { routes, streams } = container(130);
  const started = routes['POST /containers/*/start'];
  await using engine = await fakeEngine(
    {
      ...routes,
      'POST /containers/*/start': (reply, seen) => {
        process.emit('SIGINT');
        return empty(reply, seen);
      },
      'POST /containers/*/kill': (reply, seen) => started?.(reply, seen),
    },
    streams,
  );
  t.is((await nest(['run', 'debian'], engine.env)).exitCode, 130);
  t.is(engine.seen.find(({ route }) => route.endsWith('/kill'))?.query.get('signal'), 'SIGINT');
});

test.serial('a signal that comes when the container has just been made takes it back', async (t) => {
  await using engine = await fakeEngine({
    'POST /containers/create': (reply, seen) => {
      process.emit('SIGINT');
      return json({ Id: ID }, 201)(reply, seen);
    },
    'DELETE /containers/*': empty,
    'GET /nest/progress': quiet,
  });
  t.is((await nest(['run', 'debian'], engine.env)).exitCode, 130);
  t.deepEqual(engine.seen.at(-1)?.route, `DELETE /containers/${ID}`);
});

test.serial('a signal that comes before the container is started takes it back', async (t) => {
  const { routes } = container(0);
  await using engine = await fakeEngine(
    { ...routes, 'DELETE /containers/*': empty },
    { 'POST /containers/*/attach': () => void process.emit('SIGINT') },
  );
  t.is((await nest(['run', 'debian'], engine.env)).exitCode, 130);
  t.true(engine.seen.some(({ route }) => route === `DELETE /containers/${ID}`));
  t.false(engine.seen.some(({ route }) => route.endsWith('/start')));
});

test.serial('a signal that comes while the container is being made ends it, and there is none', async (t) => {
  const hungUp = Promise.withResolvers<undefined>();
  await using engine = await fakeEngine({
    'POST /containers/create': (reply) => {
      reply.once('close', () => hungUp.resolve(undefined));
      process.emit('SIGINT');
    },
    'GET /nest/progress': quiet,
  });
  t.is((await nest(['run', 'debian'], engine.env)).exitCode, 130);
  await t.notThrowsAsync(hungUp.promise);
  t.false(engine.seen.some(({ route }) => route.startsWith('DELETE')));
});

test.serial('run pulls an image that the host lacks, then creates again', async (t) => {
  const { routes, streams } = container(0);
  let attempts = 0;
  await using engine = await fakeEngine(
    {
      ...routes,
      'POST /containers/create': (reply, seen) =>
        attempts++ === 0
          ? failure(404, { message: 'no image `debian`', code: 'image-not-found' })(reply, seen)
          : json({ Id: ID }, 201)(reply, seen),
      'POST /images/create': events({ status: 'Pulling from library/debian' }, { status: 'Status: Downloaded' }),
    },
    streams,
  );
  t.is((await nest(['run', 'debian'], engine.env)).exitCode, 0);
  t.is(engine.seen.find(({ route }) => route === 'POST /images/create')?.query.get('fromImage'), 'debian');
});

test.serial('run --pull never says which image is missing, and exits with 125', async (t) => {
  const error = {
    message: 'create container: no image `debian`',
    code: 'image-not-found',
    hint: 'nest image load FILE',
  };
  await using engine = await fakeEngine({
    'POST /containers/create': failure(404, error),
    'GET /nest/progress': quiet,
  });
  t.deepEqual(await nest(['run', '--pull', 'never', 'debian'], engine.env), {
    stdout: '',
    stderr: 'Error: create container: no image `debian`\nHint: nest image load FILE\n',
    exitCode: 125,
  });
});

test.serial('run -it without a terminal of its own says so', async (t) => {
  const { stderr, exitCode } = await nest(['run', '-it', 'debian', 'sh'], {});
  t.regex(stderr, /^Error: the input device is not a TTY\nHint: .*-i/);
  t.is(exitCode, 125);
});

test.serial('exec passes output and the command’s exit status', async (t) => {
  await using engine = await fakeEngine(
    {
      'POST /containers/*/exec': json({ Id: 'exec1' }, 201),
      'GET /exec/exec1/json': json({ ID: 'exec1', Running: false, ExitCode: 4 }),
    },
    { 'POST /exec/exec1/start': (socket) => void socket.end(frame(1, 'hi\n')) },
  );
  const ran = await nest(['exec', '-w', '/tmp', 'web', 'sh', '-c', 'exit 4'], engine.env);
  t.deepEqual(ran, { stdout: 'hi\n', stderr: '', exitCode: 4 });
  t.like(engine.seen[0]?.body, { Cmd: ['sh', '-c', 'exit 4'], WorkingDir: '/tmp' });
});

test.serial('exec of a command that is not there exits with 127', async (t) => {
  const message = 'exec `nope`: executable file not found in $PATH';
  await using engine = await fakeEngine({ 'POST /containers/*/exec': failure(400, { message, code: 'exec-failed' }) });
  t.is((await nest(['exec', 'web', 'nope'], engine.env)).exitCode, 127);
});
