import test from 'ava';
import { parseCompose } from '../../../src/deploy/compose/parse.ts';
import { createBody } from '../../../src/deploy/container.ts';
import { NestError } from '../../../src/errors.ts';

function parse(file: string) {
  return parseCompose({ file, fileName: 'compose.yaml', folder: 'shop', directory: '/srv/shop', environment: {} })
    .project;
}

test('mounts in short and in long form ask for the same, by the names that the project gives', (t) => {
  const project = parse(`services:
  web:
    image: hello
    volumes:
      - data:/srv
      - logs:/logs:ro
      - /own
      - ./conf:/etc/conf:ro
      - { type: bind, source: ../up, target: /up }
      - { type: volume, source: shared, target: /shared, read_only: true, volume: { nocopy: true } }
      - { type: tmpfs, target: /t, tmpfs: { size: 1m, mode: 0o1777 } }
volumes:
  data:
  logs: { name: all-logs, labels: { a: b }, driver_opts: { size: 1g } }
  shared: { external: true, x-nest: { zone: public } }
`);
  t.deepEqual(project.volumes, [
    { key: 'data', name: 'shop_data', external: false, zone: null, size: null, labels: {} },
    { key: 'logs', name: 'all-logs', external: false, zone: null, size: 1024 ** 3, labels: { a: 'b' } },
    { key: 'shared', name: 'shared', external: true, zone: 'public', size: null, labels: {} },
  ]);
  const [web] = project.services;
  t.deepEqual(web && createBody(project, web).HostConfig.Mounts, [
    { Type: 'volume', Source: 'shop_data', Target: '/srv', ReadOnly: false, VolumeOptions: { NoCopy: false } },
    { Type: 'volume', Source: 'all-logs', Target: '/logs', ReadOnly: true, VolumeOptions: { NoCopy: false } },
    { Type: 'volume', Target: '/own', ReadOnly: false, VolumeOptions: { NoCopy: false } },
    { Type: 'bind', Target: '/etc/conf', ReadOnly: true, Source: '/srv/shop/conf' },
    { Type: 'bind', Target: '/up', ReadOnly: false, Source: '/srv/up' },
    { Type: 'volume', Source: 'shared', Target: '/shared', ReadOnly: true, VolumeOptions: { NoCopy: true } },
    { Type: 'tmpfs', Target: '/t', ReadOnly: false, TmpfsOptions: { SizeBytes: 1024 ** 2, Mode: 0o1777 } },
  ]);
});

for (const [mount, message] of [
  ['nowhere:/srv', /volume `nowhere` is not defined; add `volumes: { nowhere: }`/],
  ['data:/proc/x', /`\/proc\/x` cannot be mounted on/],
  ['~/x:/x', /`~\/x` is no path of the host/],
  ['data:srv', /`srv` is no absolute path/],
  ['data:/srv:rx', /option `rx` is unknown; write ro, rw or nocopy/],
  ['{ type: npipe, target: /x }', /`npipe` is no type of mount/],
  ['{ source: data, target: /x }', /has no type or no target/],
  ['data:/twice:ro', /`\/twice` is mounted twice/],
] as const)
  test(`the mount ${mount} is refused`, (t) => {
    const file = `services: { web: { image: hello, volumes: ['data:/twice', ${/^\{/.test(mount) ? mount : `'${mount}'`}] } }\n`;
    const error = t.throws(() => parse(`${file}volumes: { data: }\n`), { instanceOf: NestError });
    t.regex(error.message, message);
  });
