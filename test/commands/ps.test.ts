import test from 'ava';
import { fakeEngine, json, failure } from '../client/fake-engine.ts';
import { nest } from './nest.ts';

const web = {
  Id: 'a'.repeat(64),
  Names: ['/hello-web-1'],
  Image: 'docker.io/library/nest-hello:latest',
  Command: 'node server.js',
  Created: 1_700_000_000,
  State: 'running',
  Status: 'Up 3 minutes',
  Ports: [{ IP: '127.0.0.1', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }],
  Labels: { 'nest.zone': 'hello' },
};
const job = {
  ...web,
  Id: 'b'.repeat(64),
  Names: ['/job'],
  Image: 'debian:12',
  State: 'exited',
  Status: 'Exited (137) 2 minutes ago, OOM',
  Ports: [],
  Labels: { 'nest.zone': 'batch' },
};
const guest = {
  id: '0123456789ab',
  name: 'hello-1',
  zone: 'hello',
  state: 'running',
  reason: null,
  accelerator: 'tcg',
  vcpus: 1,
  memory: 1024 ** 3,
  committed: 0,
  usage: null,
  next: null,
  startedAt: 0,
  stock: null,
  createdAt: 0,
  bootId: null,
  kernel: null,
  domain: 'nest-00000000-0123456789ab',
  image: 'sha256:00',
  template: null,
  containers: [{ id: web.Id, name: 'hello-web-1', status: 'running' }],
};

test.serial('ps shows each container with its zone, guest and ports, aligned', async (t) => {
  await using engine = await fakeEngine({
    'GET /containers/json': json([web, job]),
    'GET /nest/guests': json([guest]),
  });
  const { stdout, stderr, exitCode } = await nest(['ps', '-a'], engine.env);
  t.is(
    stdout,
    [
      'NAME         ZONE   GUEST    IMAGE       STATUS                           PORTS',
      'hello-web-1  hello  hello-1  nest-hello  Up 3 minutes                     127.0.0.1:8080->80/tcp',
      'job          batch  -        debian:12   Exited (137) 2 minutes ago, OOM',
      '',
    ].join('\n'),
  );
  t.is(stderr, '');
  t.is(exitCode, 0);
});

test.serial('ps asks for one zone with Docker’s label filter', async (t) => {
  await using engine = await fakeEngine({ 'GET /containers/json': json([]), 'GET /nest/guests': json([]) });
  const { stdout } = await nest(['ps', '--zone', 'shop', '--filter', 'status=exited'], engine.env);
  const { query } = engine.seen.find(({ route }) => route === 'GET /containers/json') ?? {};
  t.deepEqual(JSON.parse(query?.get('filters') ?? ''), { status: ['exited'], label: ['nest.zone=shop'] });
  t.is(stdout, 'No containers are running. Stopped ones: nest ps -a\n');
});

test.serial('ps -q prints short ids alone', async (t) => {
  await using engine = await fakeEngine({ 'GET /containers/json': json([web, job]), 'GET /nest/guests': json([]) });
  t.is((await nest(['ps', '-q'], engine.env)).stdout, 'aaaaaaaaaaaa\nbbbbbbbbbbbb\n');
});

test.serial('ps --json prints the data that the table shows', async (t) => {
  await using engine = await fakeEngine({ 'GET /containers/json': json([web]), 'GET /nest/guests': json([guest]) });
  const [row] = JSON.parse((await nest(['ps', '--json'], engine.env)).stdout) as Record<string, unknown>[];
  t.like(row, { name: 'hello-web-1', zone: 'hello', guest: 'hello-1', ports: ['127.0.0.1:8080->80/tcp'] });
});

test.serial('a label cannot send control sequences to the terminal', async (t) => {
  const evil = { ...web, Labels: { 'nest.zone': '\u001b]0;owned\u0007\u009b2J' } };
  await using engine = await fakeEngine({ 'GET /containers/json': json([evil]), 'GET /nest/guests': json([]) });
  const shown = await nest(['ps'], engine.env);
  t.true(shown.stdout.includes('\\x1b]0;owned\\x07\\x9b2J'));
  const asJson = await nest(['ps', '--json'], engine.env);
  // eslint-disable-next-line no-control-regex -- control characters are the subject
  t.notRegex(asJson.stdout, /[\0-\x09\x0b-\x1f\x7f-\x9f]/);
  t.is((JSON.parse(asJson.stdout) as { zone: string }[])[0]?.zone, evil.Labels['nest.zone']);
});

test.serial('an error of the engine is one line with a hint, and exit status 1', async (t) => {
  const error = { message: 'list guests: connection lost', code: 'libvirt-unavailable', hint: 'Run `nest doctor`.' };
  await using engine = await fakeEngine({ 'GET /containers/json': json([]), 'GET /nest/guests': failure(503, error) });
  const human = await nest(['ps'], engine.env);
  t.deepEqual(human, {
    stdout: '',
    stderr: 'Error: list guests: connection lost\nHint: Run `nest doctor`.\n',
    exitCode: 1,
  });
  const machine = await nest(['ps', '--json'], engine.env);
  t.deepEqual(JSON.parse(machine.stdout), { error });
  t.is(machine.exitCode, 1);
});

test.serial('an unknown flag is exit status 2 with a way to the help', async (t) => {
  const { stderr, exitCode } = await nest(['ps', '--everything'], {});
  t.is(stderr, 'Error: Nonexistent flag: --everything\nHint: Run `nest ps --help`.\n');
  t.is(exitCode, 2);
});
