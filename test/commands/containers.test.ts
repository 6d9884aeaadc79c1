import test from 'ava';
import { empty, failure, fakeEngine, frame, type Handler } from '../client/fake-engine.ts';
import { nest } from './nest.ts';

const missing = failure(404, { message: 'no container `b`', code: 'not-found', hint: 'nest ps -a' });

test.serial('rm removes what it can and tells of the rest', async (t) => {
  await using engine = await fakeEngine({ 'DELETE /containers/b': missing, 'DELETE /containers/*': empty });
  const { stdout, stderr, exitCode } = await nest(['rm', '-f', 'a', 'b', 'c'], engine.env);
  t.is(stdout, 'a\nc\n');
  t.is(stderr, 'Error: no container `b`\nHint: nest ps -a\n');
  t.is(exitCode, 1);
  t.true(engine.seen.every(({ query }) => query.get('force') === 'true'));
});

test.serial('rm --json tells the outcome of each', async (t) => {
  await using engine = await fakeEngine({ 'DELETE /containers/b': missing, 'DELETE /containers/*': empty });
  const { stdout, exitCode } = await nest(['rm', '--json', 'a', 'b'], engine.env);
  t.deepEqual(JSON.parse(stdout), [
    { container: 'a', error: null },
    { container: 'b', error: { code: 'not-found', message: 'no container `b`', hint: 'nest ps -a' } },
  ]);
  t.is(exitCode, 1);
});

test.serial('stopping a stopped container succeeds', async (t) => {
  await using engine = await fakeEngine({ 'POST /containers/a/stop': (reply) => void reply.writeHead(304).end() });
  t.deepEqual(await nest(['stop', '-t', '3', 'a'], engine.env), { stdout: 'a\n', stderr: '', exitCode: 0 });
  t.is(engine.seen[0]?.query.get('t'), '3');
});

test.serial('kill sends the signal', async (t) => {
  await using engine = await fakeEngine({ 'POST /containers/a/kill': empty });
  await nest(['kill', '-s', 'HUP', 'a'], engine.env);
  t.is(engine.seen[0]?.query.get('signal'), 'HUP');
});

test.serial('a name cannot reach another route', async (t) => {
  await using engine = await fakeEngine({});
  await nest(['rm', '../images/x'], engine.env);
  t.deepEqual(
    engine.seen.map(({ route }) => route),
    ['DELETE /containers/../images/x'],
  );
});

const log: Handler = (reply) =>
  void reply.writeHead(200).end(Buffer.concat([frame(1, 'one\ntw'), frame(1, 'o\n'), frame(2, 'oops\n')]));

test.serial('logs writes each stream where it belongs', async (t) => {
  await using engine = await fakeEngine({ 'GET /containers/web/logs': log });
  t.deepEqual(await nest(['logs', '-t', '--tail', '5', 'web'], engine.env), {
    stdout: 'one\ntwo\n',
    stderr: 'oops\n',
    exitCode: 0,
  });
  t.is(engine.seen[0]?.query.toString(), 'stdout=1&stderr=1&tail=5&timestamps=1');
});

test.serial('logs --json is one object a line', async (t) => {
  await using engine = await fakeEngine({ 'GET /containers/web/logs': log });
  const { stdout } = await nest(['logs', '--json', 'web'], engine.env);
  t.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    [
      { stream: 'stdout', text: 'one' },
      { stream: 'stdout', text: 'two' },
      { stream: 'stderr', text: 'oops' },
    ],
  );
});

test.serial('logs of a container that is not there has the engine’s hint', async (t) => {
  await using engine = await fakeEngine({ 'GET /containers/b/logs': missing });
  t.is((await nest(['logs', 'b'], engine.env)).stderr, 'Error: no container `b`\nHint: nest ps -a\n');
});
