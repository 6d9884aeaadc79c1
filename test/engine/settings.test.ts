import test from 'ava';
import { changedCapabilities, containerSettings } from '../../src/engine/docker-api/settings.ts';

test('capabilities follow Docker’s rules', (t) => {
  t.is(changedCapabilities([], ['ALL']).length, 0);
  t.deepEqual(changedCapabilities(['NET_RAW'], ['all']), ['NET_RAW']);
  t.is(changedCapabilities(['ALL'], []).length, 41);
  t.false(changedCapabilities(['ALL'], ['cap_sys_admin']).includes('SYS_ADMIN'));
  t.is(changedCapabilities(['CAP_SYS_ADMIN'], ['MKNOD']).length, 14);
  t.throws(() => changedCapabilities(['NONSENSE'], []), { message: /invalid capability: `NONSENSE`/ });
});

test('an ordinary container has no settings', (t) => {
  t.deepEqual(containerSettings({ CapAdd: null, ShmSize: 0, Init: false, Tmpfs: {} }, { Tty: false }), {});
});

test('security options: nothing is dropped in silence', (t) => {
  const of = (...options: string[]) => containerSettings({ SecurityOpt: options }, {}).security;
  t.deepEqual(of('seccomp=unconfined', 'no-new-privileges=false'), { seccomp: 'unconfined', noNewPrivileges: false });
  t.deepEqual(of('no-new-privileges'), { noNewPrivileges: true });
  t.throws(() => of('systempaths=unconfined'), { message: /systempaths=unconfined/ });
});

test('a sysctl of the whole guest is refused', (t) => {
  t.deepEqual(containerSettings({ Sysctls: { 'net.core.somaxconn': '10' } }, {}).sysctls, {
    'net.core.somaxconn': '10',
  });
  t.throws(() => containerSettings({ Sysctls: { 'kernel.panic': '1' } }, {}), { message: /kernel\.panic/ });
});

test('ulimits, tmpfs, devices and a terminal’s size', (t) => {
  t.like(
    containerSettings(
      {
        Ulimits: [{ Name: 'nofile', Soft: 1, Hard: -1 }],
        Tmpfs: { '/run': 'size=1m,mode=1777' },
        Devices: [{ PathOnHost: '/dev/fuse', PathInContainer: '', CgroupPermissions: 'r' }],
        ConsoleSize: [24, 80],
      },
      { Tty: true },
    ),
    {
      rlimits: [{ name: 'nofile', soft: 1, hard: -1 }],
      tmpfs: [{ destination: '/run', options: ['size=1m', 'mode=1777'] }],
      devices: [{ source: '/dev/fuse', destination: '/dev/fuse', access: 'r' }],
      terminal: { rows: 24, columns: 80 },
    },
  );
  t.throws(() => containerSettings({ Ulimits: [{ Name: 'nofile', Soft: 9, Hard: 1 }] }, {}), {
    message: /above the hard/,
  });
});

test('how much a container may write is a size, and the only storage option', (t) => {
  const of = (options: Record<string, string>) => containerSettings({ StorageOpt: options }, {}).storageLimit;
  t.is(of({ size: '2g' }), 2 * 1024 ** 3);
  t.is(of({ size: '1.5G' }), 1.5 * 1024 ** 3);
  t.is(of({ size: '16MiB' }), 16 * 1024 ** 2);
  t.is(of({ size: '1048576' }), 1024 ** 2);
  t.is(of({}), undefined);
  for (const size of ['', '0', '-1', '10', '1023k', 'much', '1e9', '2 potatoes', '999999999999999t', '9'.repeat(400)])
    t.throws(() => of({ size }), { code: 'invalid-input', message: /^HostConfig\.StorageOpt\.size: / }, size);
  t.throws(() => of({ inodes: '5' }), { code: 'unsupported', message: /not supported by nest: inodes/ });
});
