import test from 'ava';
import * as v from 'valibot';
import { CreateBody, createRequest } from '../../src/engine/docker-api/create-body.ts';

const request = (body: Record<string, unknown>) => createRequest(v.parse(CreateBody, { Image: 'x', ...body }), 'name');

const refuses = test.macro({
  exec(t, body: Record<string, unknown>, code: string, message: RegExp) {
    const error = t.throws(() => request(body), { message });
    t.is((error as unknown as { code: string }).code, code);
  },
  title: (title = '') => title,
});

for (const [field, host] of Object.entries({
  'HostConfig.Privileged': { Privileged: true },
  'HostConfig.PidMode': { PidMode: 'host' },
  'HostConfig.VolumesFrom': { VolumesFrom: ['other'] },
  'HostConfig.VolumeDriver': { VolumeDriver: 'nfs' },
  'HostConfig.LogConfig': { LogConfig: { Type: 'syslog', Config: {} } },
  'HostConfig.SomethingNew': { SomethingNew: 'yes' },
}))
  test(`${field} is refused by name, not ignored`, refuses, { HostConfig: host }, 'unsupported', new RegExp(field));

test(
  'all that is not supported is named at once',
  refuses,
  { MacAddress: '02:00:00:00:00:01', NetworkDisabled: true, HostConfig: { Privileged: true } },
  'unsupported',
  /MacAddress, NetworkDisabled, HostConfig\.Privileged/,
);
test(
  'what a client asks of an endpoint besides names and an address is refused',
  refuses,
  { NetworkingConfig: { EndpointsConfig: { back: { MacAddress: '02:00:00:00:00:01' } } } },
  'unsupported',
  /EndpointsConfig\.back\.MacAddress/,
);
test(
  'an address of IPv6 is refused',
  refuses,
  {
    NetworkingConfig: {
      EndpointsConfig: { back: { IPAMConfig: { IPv4Address: '10.5.0.7', IPv6Address: 'fd00::7' } } },
    },
  },
  'unsupported',
  /EndpointsConfig\.back\.IPAMConfig\.IPv6Address/,
);
test('a UDP port is refused', refuses, { HostConfig: { PortBindings: { '53/udp': [{}] } } }, 'unsupported', /53\/udp/);
test(
  'a port past 65535 is refused',
  refuses,
  { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '65536' }] } } },
  'invalid-input',
  /invalid port '65536'/,
);
test(
  'a host name is no address to listen on',
  refuses,
  { HostConfig: { PortBindings: { '80/tcp': [{ HostIp: 'example' }] } } },
  'invalid-input',
  /invalid IP address/,
);
test('less memory than a process needs is refused', refuses, { HostConfig: { Memory: 1024 } }, 'invalid-input', /6MB/);
test(
  'AutoRemove and a restart policy contradict each other',
  refuses,
  { HostConfig: { AutoRemove: true, RestartPolicy: { Name: 'always' } } },
  'invalid-input',
  /AutoRemove/,
);

test('what the docker CLI always sends is harmless', (t) => {
  const body = {
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    OnBuild: null,
    Volumes: {},
    HostConfig: {
      Binds: null,
      ContainerIDFile: '',
      LogConfig: { Type: '', Config: {} },
      NetworkMode: 'default',
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
      ConsoleSize: [40, 80],
      MemorySwappiness: -1,
      PidsLimit: 0,
      OomKillDisable: false,
      CapAdd: null,
      Dns: [],
      CgroupnsMode: '',
      ShmSize: 0,
      BlkioWeightDevice: [],
    },
    NetworkingConfig: {
      EndpointsConfig: { default: { IPAMConfig: null, Links: null, Aliases: null, MacAddress: '' } },
    },
  };
  t.like(request(body), { limits: {}, publish: [], restart: { name: 'no' }, autoRemove: false });
});

test('networks are those of NetworkMode and of the endpoints, with their names and addresses', (t) => {
  const wish = (host: Record<string, unknown>, endpoints: Record<string, unknown> = {}) =>
    request({ HostConfig: host, NetworkingConfig: { EndpointsConfig: endpoints } }).network;
  t.deepEqual(wish({}), { mode: 'default', lookup: null });
  t.like(wish({ NetworkMode: 'host' }), { mode: 'host' });
  t.like(wish({ NetworkMode: 'container:web' }), { mode: { container: 'web' } });
  const back = { network: 'back', aliases: ['db'], address: '10.5.0.9' };
  const endpoint = { Aliases: ['db'], IPAMConfig: { IPv4Address: '10.5.0.9' } };
  t.deepEqual(wish({ NetworkMode: 'back' }, { back: endpoint, front: null }).mode, {
    networks: [back, { network: 'front', aliases: [], address: null }],
  });
  t.deepEqual(wish({ NetworkMode: 'default' }, { back: endpoint }).mode, { networks: [back] });
  const lookup = wish({ Dns: ['192.0.2.53'], ExtraHosts: ['db:10.5.0.7', 'six=[2001:db8::1]'] }).lookup;
  t.deepEqual(lookup, {
    servers: ['192.0.2.53'],
    search: [],
    options: [],
    hosts: [
      { name: 'db', address: '10.5.0.7' },
      { name: 'six', address: '2001:db8::1' },
    ],
  });
});

for (const [what, host, endpoints] of [
  ['aliases without a network', { NetworkMode: 'host' }, { host: { Aliases: ['x'] } }],
  ['a network beside none', { NetworkMode: 'none' }, { back: {} }],
  ['an address that is none', { Dns: ['resolver'] }, {}],
  ['a host without an address', { ExtraHosts: ['db'] }, {}],
] as const)
  test(
    `${what} is refused`,
    refuses,
    { HostConfig: host, NetworkingConfig: { EndpointsConfig: endpoints } },
    'invalid-input',
    /./,
  );

test('ports listen on loopback unless an address is asked for; none or 0 is any free port', (t) => {
  const { publish } = request({
    HostConfig: {
      PortBindings: {
        '80/tcp': [{ HostPort: '' }, { HostIp: '0.0.0.0', HostPort: '8080' }],
        '81': [{ HostPort: '0' }],
      },
    },
  });
  t.deepEqual(
    publish.toSorted((a, b) => a.hostPort - b.hostPort || a.containerPort - b.containerPort),
    [
      { containerPort: 80, hostIp: '127.0.0.1', hostPort: 0 },
      { containerPort: 81, hostIp: '127.0.0.1', hostPort: 0 },
      { containerPort: 80, hostIp: '0.0.0.0', hostPort: 8080 },
    ],
  );
});

test('limits are those of the cgroup: bytes, shares, and processor time in its period', (t) => {
  const limits = (host: Record<string, unknown>) => request({ HostConfig: host }).limits;
  t.deepEqual(limits({ Memory: 64 * 1024 ** 2, NanoCpus: 5e8, PidsLimit: 9 }), {
    memory: { limit: 64 * 1024 ** 2 },
    cpu: { quota: 50_000, period: 100_000 },
    pids: { limit: 9 },
  });
  t.deepEqual(limits({ CpuQuota: 50_000 }), { cpu: { quota: 50_000 } });
  t.deepEqual(limits({ CpuShares: 1, CpusetCpus: '0,1', BlkioWeight: 10 }), {
    cpu: { shares: 2, cpus: '0,1' },
    blockIO: { weight: 10 },
  });
  t.deepEqual(limits({ Memory: 2 ** 26, MemorySwap: -1, MemoryReservation: 2 ** 25 }), {
    memory: { limit: 2 ** 26, swap: -1, reservation: 2 ** 25 },
  });
});

test(
  'swap without a memory limit is refused',
  refuses,
  { HostConfig: { MemorySwap: 1 } },
  'invalid-input',
  /Memory limit/,
);
test(
  'less swap than memory is refused',
  refuses,
  { HostConfig: { Memory: 2 ** 26, MemorySwap: 2 ** 25 } },
  'invalid-input',
  /memoryswap/,
);
test(
  'two words for processor time are refused',
  refuses,
  { HostConfig: { NanoCpus: 1e9, CpuQuota: 5000 } },
  'invalid-input',
  /Nano CPUs/,
);
test(
  'a list of processors that is none is refused',
  refuses,
  { HostConfig: { CpusetCpus: '../0' } },
  'invalid-input',
  /cpu\.cpus/,
);
test('a weight out of range is refused', refuses, { HostConfig: { BlkioWeight: 5 } }, 'invalid-input', /10 to 1000/);
