import test from 'ava';
import { parseCompose, type ComposeRequest, type ParsedCompose } from '../../../src/deploy/compose/parse.ts';
import type { Service } from '../../../src/deploy/model.ts';
import { NestError } from '../../../src/errors.ts';

function parse(file: string, more: Partial<ComposeRequest> = {}): ParsedCompose {
  const environment = { HOME: '/root', TAG: '12', SECRET: 's3' };
  return parseCompose({ file, fileName: 'compose.yaml', folder: '/srv/shop', environment, ...more });
}

function errorOf(file: string, more: Partial<ComposeRequest> = {}): NestError {
  try {
    parse(file, more);
  } catch (error) {
    if (error instanceof NestError) return error;
    throw error;
  }
  throw new Error('the file was accepted');
}

/** The lines of one service named web with these keys. */
function web(...lines: string[]): string {
  return ['services:', '  web:', ...lines.map((line) => `    ${line}`), ''].join('\n');
}

test('a file with only an image has every default filled in', (t) => {
  t.deepEqual(parse(web('image: hello')), {
    project: {
      name: 'shop',
      zone: 'shop',
      volumes: [],
      networks: [
        {
          key: 'default',
          name: 'shop_default',
          zone: 'shop',
          external: false,
          internal: false,
          subnet: null,
          gateway: null,
          labels: {},
        },
      ],
      services: [
        {
          name: 'web',
          container: 'shop-web-1',
          zone: 'shop',
          shape: null,
          image: 'hello',
          command: null,
          entrypoint: null,
          environment: {},
          labels: {},
          ports: [],
          mounts: [],
          network: { mode: 'networks', endpoints: [{ network: 'shop_default', aliases: ['web'], address: null }] },
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
        },
      ],
    },
    warnings: [],
  });
});

const good: [title: string, lines: string[], service: Partial<Service>][] = [
  ['a variable in the image', ['image: debian:${TAG}'], { image: 'debian:12' }],
  ['a command as a string', ['command: sh -c "exit 3"'], { command: ['sh', '-c', 'exit 3'] }],
  ['a command as a list', ['command: [sh, -c, exit 3]'], { command: ['sh', '-c', 'exit 3'] }],
  ['words that look like numbers', ['command: [sleep, 10]'], { command: ['sleep', '10'] }],
  ['an entrypoint', ['entrypoint: /bin/serve'], { entrypoint: ['/bin/serve'] }],
  [
    'an environment as a map',
    ['environment:', '  A: 1.10', '  B: true', '  C: ""', '  HOME:', '  MISSING:', '  __proto__: x'],
    {
      environment: Object.fromEntries([
        ['A', '1.10'],
        ['B', 'true'],
        ['C', ''],
        ['HOME', '/root'],
        ['__proto__', 'x'],
      ]),
    },
  ],
  [
    'an environment as a list',
    ['environment:', '  - A=1', '  - B=x=y', '  - C=', '  - SECRET', '  - MISSING'],
    { environment: { A: '1', B: 'x=y', C: '', SECRET: 's3' } },
  ],
  ['labels as a map', ['labels: { a.b: 1, c: }'], { labels: { 'a.b': '1', c: '' } }],
  ['labels as a list', ['labels: [a.b=1, c]'], { labels: { 'a.b': '1', c: '' } }],
  [
    'ports',
    ['ports:', '  - 8080:80', '  - 81', '  - { target: 82, published: "8082", host_ip: 0.0.0.0, protocol: tcp }'],
    {
      ports: [
        { hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'tcp' },
        { hostIp: '127.0.0.1', hostPort: 0, containerPort: 81, protocol: 'tcp' },
        { hostIp: '0.0.0.0', hostPort: 8082, containerPort: 82, protocol: 'tcp' },
      ],
    },
  ],
  ['ports that it listens on', ['expose: ["80", 81-82/udp]'], { exposed: ['80/tcp', '81/udp', '82/udp'] }],
  ['no network', ['network_mode: none'], { network: { mode: 'none' } }],
  [
    'names of its own',
    ['dns: 192.0.2.53', 'dns_search: [a.example]', 'dns_opt: [ndots:2]', 'extra_hosts: { db: 10.5.0.7 }'],
    {
      settings: {
        dns: ['192.0.2.53'],
        dnsSearch: ['a.example'],
        dnsOptions: ['ndots:2'],
        extraHosts: ['db:10.5.0.7'],
      },
    },
  ],
  ['limits', ['mem_limit: 64m', 'cpus: 0.5', 'pids_limit: 50'], { memory: 67108864, cpus: 0.5, pids: 50 }],
  ['limits in quotes and variables', ['mem_limit: ${M:-64m}', 'cpus: "${C:-2}"'], { memory: 67108864, cpus: 2 }],
  [
    'weights and reservations',
    ['mem_reservation: 32m', 'memswap_limit: -1', 'cpu_shares: 512', 'cpuset: "0,1"', 'blkio_config: { weight: 300 }'],
    { memoryReservation: 33554432, memorySwap: -1, cpuShares: 512, cpuset: '0,1', blkioWeight: 300 },
  ],
  [
    'a health check of a shell',
    ['healthcheck: { test: curl localhost, interval: 1m30s, timeout: 500ms, retries: 2, start_period: 5s }'],
    {
      health: {
        test: ['CMD-SHELL', 'curl localhost'],
        interval: 90_000,
        timeout: 500,
        retries: 2,
        startPeriod: 5000,
        startInterval: null,
      },
    },
  ],
  [
    'the health check of the image, turned off',
    ['healthcheck: { disable: true }'],
    {
      health: {
        test: ['NONE'],
        interval: null,
        timeout: null,
        retries: null,
        startPeriod: null,
        startInterval: null,
      },
    },
  ],
  [
    'how much of a log is kept',
    ['logging: { driver: json-file, options: { max-size: 1m, max-file: "3" } }'],
    { log: { 'max-size': '1048576', 'max-file': '3' } },
  ],
  ['no limit of processes', ['pids_limit: -1'], { pids: null }],
  ['a restart policy', ['restart: on-failure:3'], { restart: { name: 'on-failure', maximumRetries: 3 } }],
  ['restart: no, which is a word', ['restart: no'], { restart: { name: 'no', maximumRetries: 0 } }],
  ['how to stop', ['stop_signal: INT', 'stop_grace_period: 1m'], { stopSignal: 'SIGINT', stopSeconds: 60 }],
  [
    'names and places',
    ['container_name: shop', 'hostname: shop.example', 'working_dir: /srv', 'user: 1000:1000'],
    { container: 'shop', hostname: 'shop.example', workingDirectory: '/srv', user: '1000:1000' },
  ],
  ['a zone', ['x-nest:', '  zone: payments'], { zone: 'payments' }],
  ['a shape', ['x-nest:', '  shape: 2x1536m'], { shape: '2x1536m' }],
  ['a key without a value', ['ports:', 'environment:', 'x-nest:'], { ports: [], environment: {}, zone: 'shop' }],
  ['extensions of others', ['x-other: { any: thing }'], {}],
];

for (const [title, lines, service] of good) {
  test(`a service may have ${title}`, (t) => {
    const image = lines.some((line) => line.startsWith('image:')) ? [] : ['image: hello'];
    const { project, warnings } = parse(web(...image, ...lines));
    const [read] = project.services;
    for (const [key, value] of Object.entries(service)) t.deepEqual(read?.[key as keyof Service], value, key);
    t.deepEqual(warnings, []);
  });
}

test('anchors and merge keys are followed, and what a map says itself wins', (t) => {
  const file = `
x-base: &base
  image: hello
  restart: always
  environment: &environment { A: 1, B: 2 }
services:
  one:
    <<: *base
    environment: { <<: *environment, B: 3 }
  two:
    <<: [{ restart: unless-stopped }, *base]
`;
  const [one, two] = parse(file).project.services;
  t.like(one, { name: 'one', image: 'hello', restart: { name: 'always' }, environment: { A: '1', B: '3' } });
  t.like(two, { name: 'two', image: 'hello', restart: { name: 'unless-stopped' }, environment: { A: '1', B: '2' } });
});

const names: [title: string, more: Partial<ComposeRequest>, file: string, name: string][] = [
  ['the folder', { folder: '/srv/My Shop.2' }, '', 'myshop2'],
  ['the file', {}, 'name: store', 'store'],
  ['a variable in the file', {}, 'name: store-${TAG}', 'store-12'],
  ['COMPOSE_PROJECT_NAME', { environment: { COMPOSE_PROJECT_NAME: 'mall' } }, 'name: store', 'mall'],
  ['the caller', { project: 'kiosk', environment: { COMPOSE_PROJECT_NAME: 'mall' } }, 'name: store', 'kiosk'],
];

for (const [title, more, file, name] of names) {
  test(`the project's name comes from ${title}`, (t) => {
    const { project } = parse(`${web('image: hello')}${file}\n`, more);
    t.is(project.name, name);
    t.is(project.zone, name);
    t.is(project.services[0]?.container, `${name}-web-1`);
  });
}

test('the zone of the file is that of services that name none', (t) => {
  const file = `
x-nest: { zone: public }
services:
  web: { image: hello }
  pay: { image: hello, x-nest: { zone: payments } }
`;
  const { project } = parse(file);
  t.is(project.zone, 'public');
  t.deepEqual(
    project.services.map((service) => service.zone),
    ['public', 'payments'],
  );
});

test('version is accepted with a warning, as in Compose', (t) => {
  t.deepEqual(parse(`version: "3.8"\n${web('image: hello')}`).warnings, [
    'compose.yaml: version is obsolete: it has no effect',
  ]);
});

test('a variable that is not set is empty, with one warning', (t) => {
  const { project, warnings } = parse(web('image: hello', 'command: [a, "$WHO", "b${WHO}"]'));
  t.deepEqual(project.services[0]?.command, ['a', '', 'b']);
  t.deepEqual(warnings, ['compose.yaml: variable WHO is not set: it is empty']);
});

const bad: [title: string, file: string, message: string][] = [
  ['an empty file', '', '1:1: has no services; add `services:` with at least one service'],
  ['a list', '- a\n', '1:1: is a list; write a map: `key: value`'],
  ['a word', 'hello\n', '1:1: is a single value; write a map: `key: value`'],
  ['empty services', 'services:\n', '1:1: has no services; add `services:` with at least one service'],
  ['no services in the map', 'services: {}\n', '1:1: has no services; add `services:` with at least one service'],
  ['services as a list', 'services: [web]\n', '1:11: services: is a list; write a map: `key: value`'],
  ['a service without an image', 'services:\n  web:\n', '2:3: services.web: has no image; add `image: NAME`'],
  [
    'broken YAML',
    'services:\n  web:\n image: hello\n',
    '2:7: All mapping items must start at the same column; mend the YAML',
  ],
  [
    'an open bracket',
    'services: [\n',
    '2:1: Flow sequence in block collection must be sufficiently indented and end with a ]; mend the YAML',
  ],
  ['a tab', 'services:\n\tweb:\n', '2:1: Tabs are not allowed as indentation; mend the YAML'],
  ['a foreign tag', web('image: !reset hello'), '3:12: Unresolved tag: !reset; mend the YAML'],
  [
    'two documents',
    `${web('image: a')}---\n${web('image: b')}`,
    '4:1: Source contains multiple documents; please use YAML.parseAllDocuments(); mend the YAML',
  ],
  [
    'a key given twice',
    web('image: a', 'cpus: 1', 'image: b'),
    '5:5: services.web.image: is given twice, first on line 3; remove one',
  ],
  [
    'an alias without an anchor',
    web('image: *nothing'),
    '3:12: services.web.image: alias `*nothing` has no anchor before it; mend the name',
  ],
  [
    'an anchor inside itself',
    web('image: hello', 'command: &a [*a]'),
    '4:18: services.web.command[0]: alias `*a` has no anchor before it; mend the name',
  ],
  [
    'nothing to merge',
    web('image: hello', '<<: word'),
    '4:5: services.web.`<<`: merges something that is no map; merge a map, or a list of maps',
  ],
  [
    'a misspelt key',
    web('image: hello', 'enviroment: {}'),
    '4:5: services.web.enviroment: unknown key; did you mean `environment`?',
  ],
  ['an unknown key', web('image: hello', 'colour: red'), '4:5: services.web.colour: unknown key; remove it'],
  [
    'an unknown key of the file',
    `services: { web: { image: a } }\nflavour: x\n`,
    '2:1: flavour: unknown key; remove it',
  ],
  [
    'a misspelt key of the file',
    `service: {}\nservices: { web: { image: a } }\n`,
    '1:1: service: unknown key; did you mean `services`?',
  ],
  [
    'a misspelt x-nest',
    web('image: hello', 'x-nst: { zone: a }'),
    '4:5: services.web.x-nst: unknown key; did you mean `x-nest`?',
  ],
  [
    'a misspelt key in x-nest',
    web('image: hello', 'x-nest: { zome: a }'),
    '4:15: services.web.x-nest.zome: unknown key; did you mean `zone`?',
  ],
  [
    'a zone that is no name',
    web('image: hello', 'x-nest: { zone: A/B }'),
    '4:21: services.web.x-nest.zone: `A/B` is no zone name; use a-z, 0-9, - and _, at most 63, a letter or digit first',
  ],
  [
    'privileged',
    web('image: hello', 'privileged: true'),
    '4:17: services.web.privileged: refused: a privileged container could take over its guest, with every container in it; remove the key, and name what it needs with cap_add and devices',
  ],
  [
    'depends_on',
    web('image: hello', 'depends_on: [db]'),
    '4:5: services.web.depends_on: not supported yet: services start in the order of the file; remove the key and order the services',
  ],
  [
    'another key of Compose',
    web('image: hello', 'mem_swappiness: 5'),
    '4:5: services.web.mem_swappiness: not supported yet; remove the key',
  ],
  [
    'a volume with a driver of its own',
    `${web('image: hello')}volumes: { data: { driver: nfs } }\n`,
    '4:28: volumes.data.driver: `nfs` is no driver that nest has; remove the key',
  ],
  [
    'an image that is no name',
    web('image: "a b"'),
    '3:12: services.web.image: `a b` is no image name; write NAME or NAME:TAG',
  ],
  ['an image that is a map', web('image: { name: a }'), '3:12: services.web.image: is a map; write an image name'],
  [
    'an image that became empty',
    web('image: "$NOTHING"'),
    '3:12: services.web.image: `` is no image name; write NAME or NAME:TAG',
  ],
  [
    'a variable that must be set',
    web('image: hello', 'command: ${WHO:?say who}'),
    '4:14: services.web.command: variable WHO is not set: `say who`; set WHO in the environment or in .env',
  ],
  [
    'a lonely dollar',
    web('image: hello', 'command: [echo, "5$"]'),
    '4:21: services.web.command[1]: `5$` holds a malformed variable; write ${NAME}, or $$ for a plain dollar',
  ],
  [
    'an empty command',
    web('image: hello', 'command: []'),
    "4:14: services.web.command: is empty; remove the key to use the image's",
  ],
  [
    'an open quote',
    web('image: hello', `command: sh -c 'x`),
    "4:14: services.web.command: `sh -c 'x` has a quote that is not closed; close it, or write the command as a list",
  ],
  [
    'an empty item',
    web('image: hello', 'command: [a, ]', 'ports: [80, null]'),
    '5:17: services.web.ports[1]: is empty; write a value or remove the item',
  ],
  [
    'one port that is no list',
    web('image: hello', 'ports: 80'),
    '4:12: services.web.ports: is a single value; write a list: `- item`',
  ],
  [
    'an UDP port',
    web('image: hello', 'ports: [53:53/udp]'),
    '4:13: services.web.ports[0]: UDP is not supported yet: ports are carried as TCP; remove the entry',
  ],
  [
    'a long port over UDP',
    web('image: hello', 'ports: [{ target: 53, protocol: udp }]'),
    '4:37: services.web.ports[0].protocol: UDP is not supported yet: ports are carried as TCP; remove the entry',
  ],
  [
    'a long port without a target',
    web('image: hello', 'ports:', '  - published: 80'),
    '5:9: services.web.ports[0]: target is missing; name the port of the container',
  ],
  [
    'a port of the host that is taken',
    `${web('image: a', 'ports: [8080:80]')}  api:\n    image: a\n    ports: [81, "8080:81"]\n`,
    '7:17: services.api.ports[1]: host port 8080 is taken by services.web.ports[0] on line 4; publish another port',
  ],
  [
    "two containers' name",
    `${web('image: a', 'container_name: shop')}  api:\n    image: a\n    container_name: shop\n`,
    "7:21: services.api.container_name: is the name of service web's container too; choose another name",
  ],
  [
    'a small memory limit',
    web('image: hello', 'mem_limit: 512'),
    '4:16: services.web.mem_limit: `512` is less than 6 MiB; numbers are bytes; write 512m for MiB',
  ],
  [
    'an environment that is a word',
    web('image: hello', 'environment: A=1'),
    '4:18: services.web.environment: is a single value; write a map, `NAME: value`, or a list, `- NAME=value`',
  ],
  [
    'a variable without a name',
    web('image: hello', 'environment: [=1]'),
    '4:19: services.web.environment[0]: `` is no variable name; write NAME=value',
  ],
  [
    'a variable that is a map',
    web('image: hello', 'environment: { A: { B: 1 } }'),
    '4:23: services.web.environment.A: is a map; write a value',
  ],
  [
    'a reserved label',
    web('image: hello', 'labels: { nest.zone: other }'),
    '4:15: services.web.labels.nest.zone: label `nest.zone` is reserved; write `x-nest: { zone: NAME }`',
  ],
  [
    'a service name with a slash',
    'services:\n  a/b: { image: a }\n',
    '2:3: services.`a/b`: `a/b` is no service name; use letters, digits, -, _ and ., at most 63',
  ],
  [
    'an escape sequence in a key',
    'services: { web: { image: a, "\\e[2J": 1 } }\n',
    '1:30: services.web.`\\u001b[2J`: unknown key; remove it',
  ],
];

for (const [title, file, message] of bad) {
  test(`refused with line and column: ${title}`, (t) => {
    const error = errorOf(file);
    t.is(error.code, 'invalid-compose');
    t.is([error.message, error.hint].filter(Boolean).join('\n'), `compose.yaml:${message}`);
  });
}

test('an error behind an alias points to where it is written', (t) => {
  const file = 'x-limits: &limits\n  mem_limit: lots\nservices:\n  web: { <<: *limits, image: a }\n';
  t.regex(errorOf(file).message, /^compose\.yaml:2:14: x-limits\.mem_limit: `lots` is no size; /);
});

test('all errors of a file are shown, in the order of its lines', (t) => {
  const file = `${web('imge: a', 'cpus: many', 'ports: [x]')}colour: red\n`;
  const error = errorOf(file);
  t.is(error.message, 'compose.yaml: 5 errors');
  t.deepEqual(error.hint?.split('\n'), [
    'compose.yaml:2:3: services.web: has no image; add `image: NAME`',
    'compose.yaml:3:5: services.web.imge: unknown key; did you mean `image`?',
    'compose.yaml:4:11: services.web.cpus: `many` is no number of CPUs; write a number from 0.01 to 1024, such as 0.5',
    'compose.yaml:5:13: services.web.ports[0]: `x` is no port; write CONTAINER, HOST:CONTAINER or ADDRESS:HOST:CONTAINER, for example 8080:80',
    'compose.yaml:6:1: colour: unknown key; remove it',
  ]);
});

test('a file with very many errors is summed up', (t) => {
  const error = errorOf(web('image: a', ...Array.from({ length: 100 }, (_, n) => `zz${n}zz: 1`)));
  t.is(error.message, 'compose.yaml: 100 errors');
  t.is(error.hint?.split('\n').length, 21);
  t.true(error.hint?.endsWith('\nand 80 more'));
});

test("a project name that is the caller's is the caller's error", (t) => {
  const error = errorOf(web('image: a'), { project: 'My Shop' });
  t.is(error.code, 'invalid-input');
  t.is(error.message, 'name the project: `My Shop` is no project name');
});

test('a folder without a usable name needs a name in the file', (t) => {
  t.is(
    errorOf(web('image: a'), { folder: '/' }).message,
    'compose.yaml:1:1: has no project name, and its folder gives none; add `name: NAME`',
  );
});

const bombs: [title: string, file: string, message: RegExp][] = [
  ['aliases of aliases', bombOfAliases(), /is larger than 50000 values/],
  ['aliases of merges', bombOfMerges(), /is larger than 50000 values/],
  ['many keys', Array.from({ length: 60_000 }, (_, n) => `a${n}: 1\n`).join(''), /is larger than 50000 values/],
  ['brackets without end', '['.repeat(200_000), /is nested too deeply/],
  ['maps in maps', `a: ${'{a: '.repeat(1100)}${'}'.repeat(1100)}`, /is nested too deeply/],
];

for (const [title, file, message] of bombs) {
  test(`a bomb of ${title} is refused`, (t) => {
    t.regex(errorOf(file).message, message);
  });
}

function bombOfAliases(): string {
  const levels = Array.from({ length: 9 }, (_, n) => `x-${n + 1}: &l${n + 1} [${`*l${n}, `.repeat(10)}]`);
  return [`x-0: &l0 [1, 2, 3]`, ...levels, ''].join('\n');
}

function bombOfMerges(): string {
  const keys = Array.from({ length: 1000 }, (_, n) => `k${n}: 1`).join(', ');
  return `x-a: &a { ${keys} }\n${Array.from({ length: 100 }, (_, n) => `x-m${n}: { <<: *a }\n`).join('')}`;
}
