import test from 'ava';
import { framed, readAll } from '../client.ts';
import { type Fixture, openFixture, run, shell } from '../fixture.ts';

const logs = async ({ client }: Fixture, id: string, query: string) =>
  readAll((await client.open('GET', `/v1/containers/${id}/logs?${query}`)).stream);

test('a follower gets what comes and ends with the container', async (t) => {
  const fixture = await openFixture(t);
  const spec = shell('echo first; read line; echo $line', { stdin: true });
  await run(fixture.client, spec, false);
  const { stream } = await fixture.client.open('GET', `/v1/containers/${spec.id}/logs?stdout=1&follow=1`);
  await new Promise((resolve) => stream.once('readable', resolve));
  const attached = await fixture.client.open('POST', `/v1/containers/${spec.id}/attach?stdin=1`);
  attached.stream.end('last\n');
  t.is(framed(await readAll(stream), 1), 'first\nlast\n');
});

test('streams and last lines are selected', async (t) => {
  const fixture = await openFixture(t);
  const spec = shell('echo 1; echo 2; echo 3; echo e >&2; printf rest');
  await run(fixture.client, spec);
  t.is(framed(await logs(fixture, spec.id, 'stdout=1&tail=2'), 1), '3\nrest');
  t.is(framed(await logs(fixture, spec.id, 'stdout=1&tail=0'), 1), '');
  t.is(framed(await logs(fixture, spec.id, 'stdout=1&tail=99'), 1), '1\n2\n3\nrest');
  const stderr = await logs(fixture, spec.id, 'stderr=1&tail=1');
  t.is(framed(stderr, 2), 'e\n');
  t.is(framed(stderr, 1), '');
});

test('timestamps stand before each line; since and until bound it', async (t) => {
  const fixture = await openFixture(t);
  const spec = shell('echo a; echo b');
  const state = await run(fixture.client, spec);
  const stamped = framed(await logs(fixture, spec.id, 'stdout=1&timestamps=1'), 1);
  t.regex(stamped, /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z [ab]\n){2}$/);
  t.is(framed(await logs(fixture, spec.id, `stdout=1&since=${state.finishedAt + 1000}`), 1), '');
  t.is(framed(await logs(fixture, spec.id, `stdout=1&until=${state.createdAt - 1000}`), 1), '');
  t.is(framed(await logs(fixture, spec.id, `stdout=1&since=${state.createdAt}`), 1), 'a\nb\n');
});

test('following until a time ends then, though the container runs on', async (t) => {
  const fixture = await openFixture(t);
  const spec = shell('echo a; exec sleep 60');
  await run(fixture.client, spec, false);
  const { stream } = await fixture.client.open('GET', `/v1/containers/${spec.id}/logs?stdout=1&follow=1`);
  await new Promise((resolve) => stream.once('readable', resolve));
  stream.close();
  const bytes = await logs(fixture, spec.id, `stdout=1&follow=1&until=${Date.now() + 50}`);
  t.is(framed(bytes, 1), 'a\n');
});
