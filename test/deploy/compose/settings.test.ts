import test from 'ava';
import * as v from 'valibot';
import { createBody } from '../../../src/deploy/container.ts';
import { parseCompose } from '../../../src/deploy/compose/parse.ts';
import { CreateBody, createRequest } from '../../../src/engine/docker-api/create-body.ts';

const parse = (...lines: string[]) =>
  parseCompose({
    file: ['services:', '  web:', '    image: hello', ...lines.map((line) => `    ${line}`), ''].join('\n'),
    fileName: 'compose.yaml',
    folder: 'shop',
    environment: {},
  }).project;

/** As the engine would have it from a Docker client. */
function requested(...lines: string[]) {
  const project = parse(...lines);
  const [service] = project.services;
  if (service === undefined) throw new Error('no service');
  return createRequest(v.parse(CreateBody, createBody(project, service)), null);
}

test('what a service may do and has becomes the same request as with the flags of nest run', (t) => {
  const { stdin, settings } = requested(
    'tty: true',
    'stdin_open: true',
    'read_only: true',
    'init: true',
    'privileged: false',
    'cap_add: [net_admin]',
    'cap_drop: [ALL]',
    'security_opt: ["no-new-privileges:false", "seccomp:unconfined"]',
    'tmpfs: ["/run:size=64m,mode=1777", /tmp]',
    'ulimits: { nofile: { soft: 100, hard: 200 }, nproc: 64, core: -1 }',
    'sysctls: { net.core.somaxconn: 1024 }',
    'shm_size: 128m',
    'storage_opt: { size: 1.5g }',
    'oom_score_adj: 500',
    'group_add: [adm, 44]',
    'devices: ["/dev/fuse", "/dev/null:/dev/zero2:r"]',
    'domainname: example.org',
  );
  t.true(stdin);
  t.deepEqual(settings, {
    security: {
      capabilities: ['NET_ADMIN'],
      noNewPrivileges: false,
      seccomp: 'unconfined',
      readonlyRoot: true,
    },
    domainname: 'example.org',
    groups: ['adm', '44'],
    rlimits: [
      { name: 'core', soft: -1, hard: -1 },
      { name: 'nproc', soft: 64, hard: 64 },
      { name: 'nofile', soft: 100, hard: 200 },
    ],
    sysctls: { 'net.core.somaxconn': '1024' },
    tmpfs: [
      { destination: '/run', options: ['size=64m', 'mode=1777'] },
      { destination: '/tmp', options: [] },
    ],
    devices: [
      { source: '/dev/fuse', destination: '/dev/fuse', access: 'rwm' },
      { source: '/dev/null', destination: '/dev/zero2', access: 'r' },
    ],
    shmSize: 128 * 1024 * 1024,
    storageLimit: 1.5 * 1024 ** 3,
    oomScoreAdj: 500,
    init: true,
    terminal: { columns: 0, rows: 0 },
  });
});

test('lists and maps that Compose takes in two forms mean the same', (t) => {
  t.deepEqual(requested('tmpfs: /run').settings.tmpfs, [{ destination: '/run', options: [] }]);
  t.deepEqual(requested('sysctls: ["net.core.somaxconn=5"]').settings.sysctls, { 'net.core.somaxconn': '5' });
});

test('a service without any of it asks for nothing', (t) => {
  t.deepEqual(parse('tty: false', 'read_only: false', 'privileged: false').services[0]?.settings, {});
});

const bad: [line: string, message: string][] = [
  ['tty: yes', '4:10: services.web.tty: `yes` is neither true nor false; write true or false'],
  [
    'cap_add: [FLY]',
    '4:15: services.web.cap_add[0]: `FLY` is no capability; capabilities(7) names them, such as NET_ADMIN',
  ],
  [
    'security_opt: ["seccomp:profile.json"]',
    '4:20: services.web.security_opt[0]: a seccomp profile in a file does not travel to the engine; write seccomp=unconfined, or none',
  ],
  [
    'tmpfs: "/run:size=1m,x y"',
    '4:12: services.web.tmpfs: `x y` is no option of a tmpfs; write some of size=, mode=, uid=, gid=, ro, exec',
  ],
  [
    'ulimits: { nofile: { soft: 5, hard: 4 } }',
    '4:24: services.web.ulimits.nofile: the soft limit 5 is above the hard one; write at most 4',
  ],
  ['ulimits: { files: 5 }', '4:16: services.web.ulimits.files: unknown key; remove it'],
  [
    'sysctls: { kernel.panic: 1 }',
    "4:16: services.web.sysctls.kernel.panic: `kernel.panic` is not of a container, but of its whole guest; net.*, fs.mqueue.*, kernel.msg*, kernel.sem and kernel.shm* are a container's own",
  ],
  [
    'oom_score_adj: 2000',
    '4:20: services.web.oom_score_adj: `2000` is no OOM score; write a number from -1000 to 1000',
  ],
  ['storage_opt: { size: 4k }', '4:26: services.web.storage_opt.size: `4k` is less than 1 MiB; write at least 1m'],
  ['group_add: ["a b"]', '4:17: services.web.group_add[0]: `a b` is no group; write a name or a number'],
  ['devices: [fuse]', '4:15: services.web.devices[0]: `fuse` is no device; write PATH[:PATH][:rwm], such as /dev/fuse'],
];

for (const [line, message] of bad)
  test(`${line} is refused where it stands`, (t) => {
    t.throws(() => parse(line), { message: `compose.yaml:${message}` });
  });

test('all that is wrong is said at once', (t) => {
  const error = t.throws(() => parse('tty: maybe', 'devices: [x]', 'cap_drop: [FLY]'));
  t.is(error.message, 'compose.yaml: 3 errors');
});
