import test from 'ava';
import { mountsOf } from '../../src/engine/docker-api/mounts.ts';

const volumes = (Binds: string[], declared = {}) =>
  mountsOf({ Binds }, declared).volumes.map(({ name, destination, readOnly, copy }) => ({
    name,
    destination,
    ...(readOnly && { readOnly }),
    ...(!copy && { copy }),
  }));

test('volumes are named, read-only or nameless', (t) => {
  t.deepEqual(volumes(['data:/srv/', 'data:/in:ro,nocopy', '/own'], { '/own': {}, '/declared': {} }), [
    { name: 'data', destination: '/srv' },
    { name: 'data', destination: '/in', readOnly: true, copy: false },
    { name: null, destination: '/own' },
    { name: null, destination: '/declared' },
  ]);
});

test('a path is one path however it is written', (t) => {
  t.deepEqual(volumes(['data:/srv'], { '/srv/': {}, '/own': {}, '//own/.': {} }), [
    { name: 'data', destination: '/srv' },
    { name: null, destination: '/own' },
  ]);
});

test('mounts in long form are the same', (t) => {
  const { volumes, tmpfs } = mountsOf(
    {
      Mounts: [
        {
          Type: 'volume',
          Source: 'data',
          Target: '/srv',
          ReadOnly: true,
          VolumeOptions: {
            NoCopy: true,
            Labels: { a: 'b' },
            DriverConfig: { Name: 'local', Options: { size: '64m' } },
          },
        },
        { Target: '/own' },
        { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 4096, Mode: 0o700 } },
      ],
    },
    null,
  );
  t.deepEqual(volumes, [
    { name: 'data', destination: '/srv', readOnly: true, copy: false, size: 64 * 1024 ** 2, labels: { a: 'b' } },
    { name: null, destination: '/own', readOnly: false, copy: true, size: null, labels: {} },
  ]);
  t.deepEqual(tmpfs, [{ destination: '/t', options: ['size=4096', 'mode=700'] }]);
});

for (const bind of [
  'data:/proc',
  'data://proc/sys',
  'data:/a/../proc',
  'data:/./sys/fs',
  'data:/',
  'data:relative',
  'data:/x:rw,shared',
  'x:/x:/y:ro',
  '-x:/x',
  '',
  ':/x',
])
  test(`\`${bind}\` is no mount`, (t) => {
    t.throws(() => volumes([bind]), { message: /invalid/ });
  });

test('what begins with a slash is of the host', (t) => {
  t.deepEqual(
    mountsOf({ Binds: ['/srv/x:/x:ro'], Mounts: [{ Type: 'bind', Source: '/y', Target: '/y' }] }, null).copies,
    [
      { source: '/srv/x', destination: '/x', readOnly: true },
      { source: '/y', destination: '/y', readOnly: false },
    ],
  );
  const shared = { Type: 'bind', Source: '/y', Target: '/y', BindOptions: { Propagation: 'shared' } };
  t.throws(() => mountsOf({ Mounts: [shared] }, null), { message: /propagation `shared`/ });
});

test('two mounts on one path are refused', (t) => {
  t.throws(() => volumes(['one:/x', 'two:/x/']), { message: /two are on the same path/ });
});
