import test from 'ava';
import { mergeHealth } from '../../src/engine/containers/health.ts';
import { mergeRecord } from '../../src/engine/containers/merge.ts';
import type { CreateRequest } from '../../src/engine/containers/request.ts';
import type { ImageConfig } from '../../src/images/images.ts';
import { HELLO } from '../helpers/engine.ts';

const ID = 'c'.repeat(64);

function merged(request: Partial<CreateRequest>, config: Partial<ImageConfig> = {}) {
  const image = { ...HELLO, config: { ...HELLO.config, ...config } };
  return mergeRecord({ ...REQUEST, ...request }, image, ID, 'name');
}

for (const [title, request, config, argv] of [
  ['the image decides what is not asked', {}, { Entrypoint: ['e'], Cmd: ['c'] }, ['e', 'c']],
  ['a command replaces that of the image', { command: ['d'] }, { Entrypoint: ['e'], Cmd: ['c'] }, ['e', 'd']],
  ['an entrypoint drops the command of the image', { entrypoint: ['f'] }, { Entrypoint: ['e'], Cmd: ['c'] }, ['f']],
  ['an entrypoint "" is none', { entrypoint: [''], command: ['d'] }, { Entrypoint: ['e'] }, ['d']],
] as [string, Partial<CreateRequest>, Partial<ImageConfig>, string[]][])
  test(title, (t) => t.deepEqual(merged(request, config).spec.argv, argv));

test('nothing to run is an error', (t) => {
  t.throws(() => merged({}, { Entrypoint: null, Cmd: null }), { message: /no command specified/ });
});

test('variables of the request win; a bare name takes one away; PATH is always there', (t) => {
  const { env } = merged({ env: ['A=2', 'B'] }, { Env: ['A=1', 'B=1', 'C=1'] }).spec;
  t.deepEqual(env, [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOSTNAME=cccccccccccc',
    'A=2',
    'C=1',
  ]);
});

test('signals are taken in any spelling', (t) => {
  for (const [given, name] of [
    ['KILL', 'SIGKILL'],
    ['sigusr1', 'SIGUSR1'],
    ['15', 'SIGTERM'],
    ['RTMIN+3', 'SIGRTMIN+3'],
  ] as const)
    t.is(merged({ stopSignal: given }).spec.stopSignal, name);
  t.throws(() => merged({ stopSignal: 'nope' }), { message: 'invalid signal: nope' });
});

test('an image cannot choose the zone of its containers', (t) => {
  t.is(merged({}, { Labels: { 'nest.zone': 'bank' } }).zone, 'default');
  t.is(merged({}, { Labels: { 'nest.zone': 'bank' } }).labels['nest.zone'], 'default');
});

test("a health check is the request's over the image's, with Docker's defaults", (t) => {
  const image = { ...IMAGE_CHECK, Test: ['CMD-SHELL', 'true'], Interval: 2e9 };
  const health = (asked: Partial<typeof IMAGE_CHECK> | null, inherited: typeof IMAGE_CHECK | null = image) =>
    mergeHealth(asked && { ...IMAGE_CHECK, ...asked }, { ...HELLO.config, Healthcheck: inherited });
  t.deepEqual(health(null), {
    argv: ['/bin/sh', '-c', 'true'],
    interval: 2000,
    timeout: 30_000,
    retries: 3,
    startPeriod: 0,
    startInterval: 5000,
  });
  t.like(health({ Test: ['CMD', 'probe', '-q'], Timeout: 1e6, Retries: 9 }), {
    argv: ['probe', '-q'],
    interval: 2000,
    timeout: 1,
    retries: 9,
  });
  t.is(health({ Test: ['NONE'] }), undefined);
  t.is(health({ Interval: 1e9 }, null), undefined);
  t.throws(() => health({ Test: ['SHELL', 'x'] }), { message: /no health check/ });
});

const IMAGE_CHECK = { Test: [] as string[], Interval: 0, Timeout: 0, StartPeriod: 0, StartInterval: 0, Retries: 0 };

test('what the agent would refuse is refused before a guest is touched', (t) => {
  t.throws(() => merged({ workingDirectory: 'relative' }), { message: /^create container `name`: spec\.cwd: / });
  t.throws(() => merged({ labels: { 'nest.zone': '../x' } }), { message: /not a zone's name/ });
});

const REQUEST: CreateRequest = {
  name: 'name',
  image: 'hello',
  entrypoint: null,
  command: null,
  env: [],
  workingDirectory: null,
  user: null,
  hostname: null,
  stopSignal: null,
  stopSeconds: null,
  stdin: false,
  labels: {},
  limits: {},
  settings: {},
  volumes: [],
  copies: [],
  reuse: {},
  network: { mode: 'default', lookup: null },
  restart: { name: 'no', maximumRetries: 0 },
  log: null,
  health: null,
  exposed: [],
  publish: [],
  autoRemove: false,
  accelerator: 'auto',
};
