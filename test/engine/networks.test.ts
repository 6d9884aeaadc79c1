import path from 'node:path';
import test from 'ava';
import type Docker from 'dockerode';
import type { Attachment } from '../../guest-agent/api.ts';
import { openTestEngine, type TestEngine } from '../helpers/engine.ts';

let nest: TestEngine;

test.beforeEach(async () => {
  nest = await openTestEngine();
});
test.afterEach.always(() => nest.close());

const create = (name: string, options: Partial<Docker.ContainerCreateOptions> = {}) =>
  nest.docker.createContainer({ name, Image: 'hello', Cmd: ['sleep'], ...options });
const on = (network: string, zone = 'shop'): Partial<Docker.ContainerCreateOptions> => ({
  Labels: { 'nest.zone': zone },
  HostConfig: { NetworkMode: network },
});

test.serial('a network is made, shown, and removed when nobody is in it', async (t) => {
  const { id } = await nest.docker.createNetwork({ Name: 'shop', Labels: { a: 'b' } });
  const network = nest.docker.getNetwork('shop');
  t.like(await network.inspect(), {
    Id: id,
    Name: 'shop',
    Driver: 'bridge',
    Labels: { a: 'b' },
    IPAM: { Config: [{ Subnet: '172.18.0.0/16', Gateway: '172.18.0.1' }] },
  });
  const names = async (filters = {}) =>
    (await nest.docker.listNetworks({ filters: JSON.stringify(filters) })).map(({ Name }) => Name);
  t.deepEqual(await names(), ['bridge', 'host', 'none', 'shop']);
  t.deepEqual(await names({ label: ['a=b'] }), ['shop']);
  await t.throwsAsync(nest.docker.createNetwork({ Name: 'shop' }), { message: /already exists/ });
  await t.throwsAsync(nest.docker.getNetwork('bridge').remove(), { message: /pre-defined/ });
  const container = await create('web', on('shop'));
  await t.throwsAsync(network.remove(), { message: /it has containers: web/ });
  await container.remove({ force: true });
  await network.remove();
  await t.throwsAsync(network.inspect(), { message: /network shop not found/ });
});

test.serial('its containers are told to the agent with their names, and all in one guest', async (t) => {
  await nest.docker.createNetwork({ Name: 'shop' });
  const large = { ...on('shop'), HostConfig: { NetworkMode: 'shop', Memory: 600 * 1024 ** 2 } };
  await create('web', { ...large, NetworkingConfig: { EndpointsConfig: { shop: { Aliases: ['www'] } } } });
  const web = await nest.docker.getContainer('web').inspect();
  t.deepEqual(Object.keys(web.NetworkSettings.Networks), ['shop']);
  t.is(web.HostConfig.NetworkMode, 'shop');
  const spec = [...nest.guests.agent(nest.guests.list()[0]?.id ?? '').containers.values()][0]?.spec.network as {
    attachments: Attachment[];
  };
  t.like(spec.attachments[0], { subnet: '172.18.0.0/16', gateway: '172.18.0.1', resolves: true });
  t.deepEqual(spec.attachments[0]?.names.slice(0, 4), ['web', 'web.shop', 'www', 'www.shop']);
  const error = await t.throwsAsync(create('db', large));
  t.regex(error.message, /place a container in guest `shop-1`, where it must be as it shares a network with web/);
  await create('elsewhere', { ...large, HostConfig: { Memory: 600 * 1024 ** 2 } });
  const other = (await nest.docker.getContainer('elsewhere').inspect()) as unknown as { Nest: { Guest: string } };
  t.is(other.Nest.Guest, 'shop-2', 'without the network there is room in another guest');
});

test.serial('what the agent would refuse of a connection boots no guest and leaves no row', async (t) => {
  const { id } = await nest.docker.createNetwork({ Name: 'shop' });
  const words = (count: number, word: string) => Array.from({ length: count }, (_, index) => `${word}${index + 1}`);
  const lookup = (HostConfig: object): Partial<Docker.ContainerCreateOptions> => ({ HostConfig });
  const endpoint = (shop: object) => ({
    ...on('shop'),
    NetworkingConfig: { EndpointsConfig: { shop } },
  });
  const cases: [Partial<Docker.ContainerCreateOptions>, RegExp][] = [
    [lookup({ Dns: words(9, '10.0.0.') }), /lookup\.servers: /],
    [lookup({ DnsSearch: ['a b'] }), /lookup\.search\.0: .*a b/],
    [lookup({ DnsSearch: words(33, 'a') }), /lookup\.search: /],
    [lookup({ DnsOptions: words(17, 'ndots:') }), /lookup\.options: /],
    [lookup({ ExtraHosts: ['a b:10.0.0.1'] }), /lookup\.hosts\.0\.name: /],
    [endpoint({ Aliases: words(33, 'a') }), /network\.attachments\.0\.names: /],
    [endpoint({ Aliases: ['a b'] }), /network\.attachments\.0\.names\.\d+: .*a b/],
    [endpoint({ IPAMConfig: { IPv4Address: 'foo' } }), /as `foo`: no address of a host in 172\.18\.0\.0\/16/],
    [endpoint({ IPAMConfig: { IPv4Address: '10.0.0.7' } }), /as `10\.0\.0\.7`: no address of a host in/],
    [{ ...on('shop'), NetworkingConfig: { EndpointsConfig: { [id]: {} } } }, /it is named twice/],
  ];
  for (const [options, message] of cases) {
    const error = await t.throwsAsync(create('web', options), undefined, String(message));
    t.like(error, { statusCode: 400 });
    t.regex(error.message, message);
  }
  t.deepEqual(nest.guests.list(), []);
  t.deepEqual(await nest.docker.listContainers({ all: true }), []);
});

test.serial('a network belongs to the zone of its first container', async (t) => {
  await nest.docker.createNetwork({ Name: 'shop' });
  await create('web', on('shop'));
  await t.throwsAsync(create('spy', on('shop', 'bank')), {
    message: /it is in zone `shop`, the container is to be in zone `bank`/,
  });
  await t.throwsAsync(create('spy', { ...on('container:web', 'bank') }), { message: /zone `shop`/ });
  await t.throwsAsync(create('lost', on('nowhere')), { message: /network nowhere not found/ });
  const names = (await nest.docker.listContainers({ all: true })).flatMap(({ Names }) => Names);
  t.deepEqual(names, ['/web'], 'what was refused is not there');
});

test.serial('a network is bound to no zone by a container that could not be made, or is gone', async (t) => {
  await nest.docker.createNetwork({ Name: 'shop' });
  const zone = async () =>
    ((await nest.docker.getNetwork('shop').inspect()) as unknown as { Nest: { Zone: string } }).Nest.Zone;
  await t.throwsAsync(create('web', { ...on('shop', 'bank'), HostConfig: { NetworkMode: 'shop', Memory: 2 ** 50 } }));
  t.is(await zone(), '');
  const container = await create('web', on('shop'));
  t.is(await zone(), 'shop');
  await container.remove({ force: true });
  await create('teller', on('shop', 'bank'));
  t.is(await zone(), 'bank');
});

test.serial('what a network is asked for and cannot be is refused by name, not ignored', async (t) => {
  const cases: [Partial<Docker.NetworkCreateOptions> & Record<string, unknown>, RegExp][] = [
    [{ Driver: 'overlay' }, /Driver/],
    [{ EnableIPv6: true }, /EnableIPv6/],
    [{ EnableIPv4: false }, /EnableIPv4/],
    [{ Options: { 'com.docker.network.bridge.enable_icc': 'false' } }, /Options/],
    [{ Ingress: true, ConfigOnly: true }, /Ingress, ConfigOnly/],
    [{ SomethingNew: 'yes' }, /SomethingNew/],
    [{ IPAM: { Driver: 'dhcp' } }, /IPAM\.Driver/],
    [{ IPAM: { Config: [{ Subnet: '10.5.0.0/24', IPRange: '10.5.0.0/25' }] } }, /IPAM\.Config\.IPRange/],
    [{ IPAM: { Config: [{ Subnet: '10.5.0.0/24' }, { Subnet: '10.6.0.0/24' }] } }, /more than one IPAM\.Config/],
    [{ IPAM: { Config: [{ Gateway: '10.5.0.1' }] } }, /gateway `10\.5\.0\.1`: it goes with a subnet/],
  ];
  for (const [options, message] of cases)
    await t.throwsAsync(nest.docker.createNetwork({ Name: 'shop', ...options }), { message }, String(message));
  await nest.docker.createNetwork({
    Name: 'shop',
    CheckDuplicate: true,
    Driver: 'bridge',
    Attachable: true,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Options: {}, Config: [] },
    Options: {},
    ...{ Scope: 'local', ConfigFrom: { Network: '' }, EnableIPv4: true },
  });
  t.pass('what the clients of Docker send always is fine');
});

test.serial('prune removes networks without containers', async (t) => {
  for (const name of ['used', 'unused']) await nest.docker.createNetwork({ Name: name });
  await create('web', on('used'));
  const prune = async (until: string) => nest.docker.pruneNetworks({ filters: JSON.stringify({ until: [until] }) });
  for (const past of ['24h', '1h30m', '2020-01-01T00:00:00Z', '1500000000'])
    t.deepEqual(await prune(past), { NetworksDeleted: [] }, past);
  await t.throwsAsync(prune('yesterday'), { message: /until.*not a time: yesterday/ });
  t.deepEqual(await nest.docker.pruneNetworks(), { NetworksDeleted: ['unused'] });
});

test.serial('networks are there again when the engine is', async (t) => {
  const { id } = await nest.docker.createNetwork({ Name: 'shop', IPAM: { Config: [{ Subnet: '10.5.0.0/24' }] } });
  await nest.engine.close();
  nest = await openTestEngine({ folder: path.dirname(nest.paths.data), guests: nest.guests });
  t.like(await nest.docker.getNetwork('shop').inspect(), { Id: id, IPAM: { Config: [{ Subnet: '10.5.0.0/24' }] } });
});
