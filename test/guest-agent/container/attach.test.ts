import test from 'ava';
import { framed, readAll } from '../client.ts';
import { openFixture, run, shell } from '../fixture.ts';

test('attached before the start, a client gets everything and its input reaches the container', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('cat; echo bye >&2', { stdin: true });
  await client.ask('POST', '/v1/containers', spec);
  const { stream } = await client.open('POST', `/v1/containers/${spec.id}/attach?stdin=1`);
  await client.ask('POST', `/v1/containers/${spec.id}/start`);
  stream.end('hello\n');
  const bytes = await readAll(stream);
  t.is(framed(bytes, 1), 'hello\n');
  t.is(framed(bytes, 2), 'bye\n');
});

test('an attached client that breaks off leaves stdin open for the next', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('read a; echo $a; read b; echo $b', { stdin: true });
  await run(client, spec, false);
  const first = await client.open('POST', `/v1/containers/${spec.id}/attach?stdin=1`);
  first.stream.write('one\n');
  await new Promise((resolve) => first.stream.once('data', resolve));
  first.stream.destroy();
  const second = await client.open('POST', `/v1/containers/${spec.id}/attach?stdin=1&logs=1`);
  second.stream.end('two\n');
  t.is(framed(await readAll(second.stream), 1), 'one\ntwo\n');
});

test('a container that exited is attached to for its next run', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('echo run');
  await run(client, spec);
  const { stream } = await client.open('POST', `/v1/containers/${spec.id}/attach`);
  stream.end();
  await client.ask('POST', `/v1/containers/${spec.id}/start`);
  t.is(framed(await readAll(stream), 1), 'run\n');
});

test('one request creates, attaches and starts, and its body goes on as stdin', async (t) => {
  const { client } = await openFixture(t);
  const spec = shell('cat; echo bye >&2', { stdin: true });
  const stream = client.session.request({ ':method': 'POST', ':path': '/v1/run?stdin=1' });
  stream.write(`${JSON.stringify(spec)}\nhel`);
  stream.end('lo\n');
  const bytes = await readAll(stream);
  t.is(framed(bytes, 1), 'hello\n');
  t.is(framed(bytes, 2), 'bye\n');
  t.like((await client.ask('GET', `/v1/containers/${spec.id}`)).body, { state: { status: 'exited', exitCode: 0 } });
});

test('a run that cannot start says why, and a body that is no line is refused', async (t) => {
  const { client } = await openFixture(t);
  const missing = { ...shell(''), argv: ['/not/there'] };
  const run = async (body: string) => {
    const stream = client.session.request({ ':method': 'POST', ':path': '/v1/run' });
    stream.end(body);
    return (await readAll(stream)).toString();
  };
  t.regex(await run(`${JSON.stringify(missing)}\n`), /exec: `\/not\/there`/);
  t.regex(await run('{"id":'), /ends within its first line/);
  t.regex(await run('{}\n'), /check request body/);
});
