import test from 'ava';
import { LABELS } from '../../src/api.ts';
import { configHash, createBody } from '../../src/deploy/container.ts';
import type { Project, Service } from '../../src/deploy/model.ts';
import { planDeploy, type ExistingContainer, type PlanStep } from '../../src/deploy/plan.ts';

function service(name: string, more: Partial<Service> = {}): Service {
  return {
    name,
    container: `shop-${name}-1`,
    zone: 'shop',
    shape: null,
    image: 'hello',
    command: null,
    entrypoint: null,
    environment: {},
    labels: {},
    ports: [],
    mounts: [],
    network: { mode: 'none' },
    exposed: [],
    hostname: null,
    workingDirectory: null,
    user: null,
    stopSignal: null,
    stopSeconds: null,
    memory: null,
    cpus: null,
    pids: null,
    memoryReservation: null,
    memorySwap: null,
    cpuShares: null,
    cpuset: null,
    blkioWeight: null,
    health: null,
    log: null,
    settings: {},
    restart: { name: 'no', maximumRetries: 0 },
    ...more,
  };
}

const web = service('web');
const project: Project = { name: 'shop', zone: 'shop', services: [web], volumes: [], networks: [] };
const images = new Map([['hello', 'sha256:one']]);

function container(more: Partial<ExistingContainer> = {}): ExistingContainer {
  return {
    id: 'c1',
    name: 'shop-web-1',
    service: 'web',
    configHash: configHash(project, web),
    imageId: 'sha256:one',
    state: 'running',
    ...more,
  };
}

test('what has the network of a service is made anew with it', (t) => {
  const side = service('side', { network: { mode: 'container', container: 'shop-web-1', service: 'web' } });
  const both = { ...project, services: [web, side] };
  const there = container({ id: 's1', name: 'shop-side-1', service: 'side', configHash: configHash(both, side) });
  const steps = (state: ExistingContainer['state']) =>
    planDeploy(both, images, [container({ state }), there]).map(brief);
  t.deepEqual(steps('running'), ['unchanged web c1: is up to date', 'unchanged side s1: is up to date']);
  t.deepEqual(steps('exited'), [
    'start web c1: has exited',
    'recreate side s1: has the network of shop-web-1, which starts anew',
  ]);
});

function brief(step: PlanStep): string {
  const name = typeof step.service === 'string' ? step.service : step.service.name;
  const id = 'id' in step ? ` ${step.id}` : '';
  return `${step.action} ${name}${id}: ${step.reason}`;
}

const plans: [title: string, existing: ExistingContainer[], steps: string[]][] = [
  ['creates what is missing', [], ['create web: has no container yet']],
  ['leaves alone what is as it should be', [container()], ['unchanged web c1: is up to date']],
  ['leaves alone what is being restarted', [container({ state: 'restarting' })], ['unchanged web c1: is up to date']],
  ['starts what has exited', [container({ state: 'exited' })], ['start web c1: has exited']],
  ['starts what was never started', [container({ state: 'created' })], ['start web c1: was never started']],
  [
    'makes anew what a crash left half made',
    [container({ state: 'creating' })],
    ['recreate web c1: was left half made'],
  ],
  ['makes anew what its guest took along', [container({ state: 'dead' })], ['recreate web c1: its guest is gone']],
  [
    'makes anew what is configured otherwise',
    [container({ configHash: 'other' })],
    ['recreate web c1: its configuration changed'],
  ],
  [
    'makes anew what runs an older image',
    [container({ imageId: 'sha256:zero' })],
    ['recreate web c1: image hello changed'],
  ],
  [
    'removes what the file no longer has, before anything else',
    [container(), container({ id: 'c2', service: 'old', name: 'shop-old-1' })],
    ['remove old c2: its service is no longer in the file', 'unchanged web c1: is up to date'],
  ],
  [
    'keeps the best of two containers',
    [container({ id: 'c2', state: 'creating' }), container()],
    ['remove web c2: is a second container of its service', 'unchanged web c1: is up to date'],
  ],
];

for (const [title, existing, steps] of plans) {
  test(`a plan ${title}`, (t) => {
    t.deepEqual(planDeploy(project, images, existing).map(brief), steps);
    t.deepEqual(planDeploy(project, images, existing.toReversed()).map(brief), steps);
  });
}

test('services are planned in the order of the file', (t) => {
  const three = { ...project, services: ['c', 'a', 'b'].map((name) => service(name)) };
  t.deepEqual(
    planDeploy(three, images, []).map((step) => (typeof step.service === 'string' ? '' : step.service.name)),
    ['c', 'a', 'b'],
  );
});

test('carrying out a plan leaves nothing to do, whatever there was', (t) => {
  const wanted = { ...project, services: [web, service('db', { memory: 64 * 1024 * 1024 })] };
  const states = ['creating', 'created', 'running', 'restarting', 'exited', 'dead'] as const;
  const existing = states.flatMap((state) =>
    ['web', 'db', 'gone'].flatMap((name) =>
      ['current', 'old'].map((age) => ({
        id: `${name}-${state}-${age}`,
        name: `shop-${name}-1`,
        service: name,
        configHash: age === 'old' ? age : configHash(wanted, service(name)),
        imageId: 'sha256:one',
        state,
      })),
    ),
  );
  for (let mask = 0; mask < 2 ** 12; mask += 7) {
    const some = existing.filter((_, index) => mask & (1 << (index % 12)));
    const after = carryOut(wanted, planDeploy(wanted, images, some), some);
    t.deepEqual(
      planDeploy(wanted, images, after).map((step) => step.action),
      ['unchanged', 'unchanged'],
    );
    t.is(after.length, 2);
  }
});

function carryOut(wanted: Project, steps: PlanStep[], existing: ExistingContainer[]): ExistingContainer[] {
  const containers = new Map(existing.map((each) => [each.id, each]));
  for (const step of steps) {
    const old = 'id' in step ? containers.get(step.id) : undefined;
    if (step.action === 'remove' || step.action === 'recreate') containers.delete(step.id);
    if (step.action === 'start' && old !== undefined) containers.set(step.id, { ...old, state: 'running' });
    if (step.action === 'create' || step.action === 'recreate') {
      const { name, container: containerName } = step.service;
      const made = { id: `new-${name}`, name: containerName, service: name, imageId: 'sha256:one' };
      containers.set(made.id, { ...made, configHash: configHash(wanted, step.service), state: 'running' });
    }
  }
  return [...containers.values()];
}

test('the configuration hash does not depend on the order of keys', (t) => {
  const one = service('web', { labels: { a: '1', b: '2' } });
  const other = service('web', { labels: { b: '2', a: '1' } });
  t.is(configHash(project, one), configHash(project, other));
});

const changes: [key: string, change: Partial<Service>][] = [
  ['container', { container: 'other' }],
  ['zone', { zone: 'other' }],
  ['image', { image: 'other' }],
  ['command', { command: ['other'] }],
  ['environment', { environment: { A: '1' } }],
  ['ports', { ports: [{ hostIp: '127.0.0.1', hostPort: 1, containerPort: 80, protocol: 'tcp' }] }],
  ['memory', { memory: 1 }],
  ['cpus', { cpus: 0.5 }],
  ['stopSignal', { stopSignal: 'SIGINT' }],
  ['restart', { restart: { name: 'on-failure', maximumRetries: 1 } }],
];

for (const [key, change] of changes) {
  test(`the configuration hash changes with ${key}`, (t) => {
    t.not(configHash(project, service('web', change)), configHash(project, web));
  });
}

test('a service becomes a container of the Docker Engine API', (t) => {
  const body = createBody(
    project,
    service('web', {
      command: ['serve'],
      environment: { A: '1', B: 'x=y' },
      ports: [
        { hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'tcp' },
        { hostIp: '::1', hostPort: 0, containerPort: 80, protocol: 'tcp' },
      ],
      memory: 64 * 1024 * 1024,
      cpus: 0.5,
      stopSeconds: 3,
    }),
  );
  t.deepEqual(body.Cmd, ['serve']);
  t.is(body.Entrypoint, null);
  t.deepEqual(body.Env, ['A=1', 'B=x=y']);
  t.deepEqual(body.ExposedPorts, { '80/tcp': {} });
  t.deepEqual(body.HostConfig.PortBindings, {
    '80/tcp': [
      { HostIp: '127.0.0.1', HostPort: '8080' },
      { HostIp: '::1', HostPort: '0' },
    ],
  });
  t.is(body.HostConfig.Memory, 67108864);
  t.is(body.HostConfig.NanoCpus, 500_000_000);
  t.is(body.StopTimeout, 3);
  t.false('StopSignal' in body);
  t.like(body.Labels, { [LABELS.zone]: 'shop', [LABELS.project]: 'shop', [LABELS.service]: 'web' });
  t.regex(body.Labels[LABELS.configHash] ?? '', /^[0-9a-f]{64}$/);
});
