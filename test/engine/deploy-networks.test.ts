import test from 'ava';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { Attachment } from '../../guest-agent/api.ts';
import type { DeployResult, DownResult } from '../../src/api.ts';
import type { ErrorBody } from '../../src/errors.ts';
import { openTestEngine, type TestEngine } from '../helpers/engine.ts';
import { until } from '../helpers/until.ts';

/** Networks of Compose projects, at the engine. */
let nest: TestEngine;

test.beforeEach(async () => {
  nest = await openTestEngine();
});
test.afterEach.always(() => nest.close());

async function ask(file: string): Promise<Record<string, unknown>> {
  const body = { file, fileName: 'compose.yaml', folder: 'shop', environment: {} };
  return (await nest.stream('POST', '/nest/deployments', body)).at(-1) ?? {};
}

async function deploy(file: string): Promise<string[]> {
  const last = await ask(file);
  if (last['type'] !== 'result') throw new Error(JSON.stringify(last));
  return (last['value'] as DeployResult).services.map((each) => `${each.service} ${each.action} ${each.guest}`);
}

const refused = async (file: string) => (await ask(file))['error'] as ErrorBody;
const down = async () => (await nest.stream('DELETE', '/nest/deployments/shop')).at(-1)?.['value'] as DownResult;
const made = async () => (await nest.docker.listNetworks({ filters: '{"type":["custom"]}' })).map(({ Name }) => Name);
const networkOf = async (name: string) => (await nest.docker.getContainer(name).inspect()).NetworkSettings.Networks;

test.serial('the services of a project are in one network and one guest, which has room for all', async (t) => {
  const large = '{ image: hello, mem_limit: 600m, cpus: 1 }';
  t.deepEqual(await deploy(`services:\n  web: ${large}\n  db: ${large}\n  cache: ${large}\n`), [
    'web created shop-1',
    'db created shop-1',
    'cache created shop-1',
  ]);
  t.deepEqual(await made(), ['shop_default']);
  t.deepEqual(Object.keys(await networkOf('shop-db-1')), ['shop_default']);
  const specs = [...nest.guests.agent(nest.guests.list()[0]?.id ?? '').containers.values()].map(({ spec }) => spec);
  const names = specs.map(({ network }) =>
    (network as { attachments: Attachment[] }).attachments[0]?.names.slice(0, 3),
  );
  t.true(names.some((each) => each?.includes('shop-web-1') && each.includes('web')));
  t.deepEqual((await down()).networks, ['shop_default']);
  t.deepEqual(await made(), []);
});

test.serial('when their guest ends, they run again in one guest that has room for all', async (t) => {
  const large = '{ image: hello, mem_limit: 600m, restart: always }';
  await deploy(`services:\n  web: ${large}\n  db: ${large}\n  cache: ${large}\n`);
  await nest.guests.crash(nest.guests.list()[0]?.id ?? '');
  const states = async () => (await nest.docker.listContainers({ all: true })).map(({ State }) => State);
  await until('all to run', async () => (await states()).every((state) => state === 'running'));
  t.is(nest.guests.list().length, 1);
});

test.serial('a network whose definition changed is made anew with its services; others stay', async (t) => {
  const file = (more: string) => `
services:
  web: { image: hello, networks: [front] }
  db: { image: hello, networks: [back] }
networks: { front: , back: { ${more} } }
`;
  await deploy(file(''));
  t.deepEqual(await deploy(file('')), ['web unchanged shop-1', 'db unchanged shop-1']);
  t.deepEqual(await deploy(file('internal: true')), ['web unchanged shop-1', 'db recreated shop-1']);
  const back = (await nest.docker.getNetwork('shop_back').inspect()) as { Internal: boolean };
  t.true(back.Internal);
});

test.serial('a service has the network of another one, and is made anew with it', async (t) => {
  const file = (more = '') => `
services:
  side: { image: hello, network_mode: "service:web" }
  web: { image: hello${more} }
`;
  await deploy(file());
  const { Id } = await nest.docker.getContainer('shop-web-1').inspect();
  const mode = async () => (await nest.docker.getContainer('shop-side-1').inspect()).HostConfig.NetworkMode;
  t.is(await mode(), `container:${Id}`);
  t.deepEqual(await deploy(file(', user: "5"')), ['web recreated shop-1', 'side recreated shop-1']);
  t.not(await mode(), `container:${Id}`);
});

test.serial('the order of keys in a file means nothing', async (t) => {
  const file = (labels: string) =>
    `services: { web: { image: hello, networks: [back] } }\nnetworks: { back: { labels: { ${labels} } } }\n`;
  await deploy(file('a: b, c: d'));
  t.deepEqual(await deploy(file('c: d, a: b')), ['web unchanged shop-1']);
});

test.serial('networks swap their addresses, and one of any addresses gives way', async (t) => {
  const file = (front: string, back: string) => `
services: { web: { image: hello, networks: [any, front] }, db: { image: hello, networks: [back] } }
networks: { any: , front: { ipam: { config: [{ subnet: ${front} }] } }, back: { ipam: { config: [{ subnet: ${back} }] } } }
`;
  await deploy(file('172.18.0.0/16', '172.19.0.0/16'));
  t.deepEqual(await deploy(file('172.19.0.0/16', '172.18.0.0/16')), ['web recreated shop-1', 'db recreated shop-1']);
  const { IPAM } = (await nest.docker.getNetwork('shop_front').inspect()) as { IPAM: { Config: object[] } };
  t.like(IPAM.Config[0], { Subnet: '172.19.0.0/16' });
});

test.serial('the network of a container that the same deploy removes cannot be joined', async (t) => {
  await deploy('services: { web: { image: hello }, old: { image: hello } }\n');
  const error = await refused('services: { web: { image: hello, network_mode: "container:shop-old-1" } }\n');
  t.regex(error.message, /`shop-old-1`: the same deploy removes it/);
  t.true((await nest.docker.getContainer('shop-old-1').inspect()).State.Running);
});

test.serial('what cannot be connected is found while the old containers are there', async (t) => {
  const network = (more = '') =>
    `services: { web: { image: hello${more} } }\nnetworks: { default: { ipam: { config: [{ subnet: 10.5.0.0/24 }] } } }\n`;
  const file = (more = '') => `services: { web: { image: hello${more} } }\n`;
  const external = (name: string) => `${file()}networks: { default: { external: true, name: ${name} } }\n`;
  await deploy(file());
  const { Id } = await nest.docker.getContainer('shop-web-1').inspect();
  await nest.docker.createNetwork({ Name: 'bank', Labels: { 'nest.zone': 'bank' } });
  await nest.docker.createNetwork({ Name: 'big', IPAM: { Config: [{ Subnet: '10.0.0.0/8' }] } });
  const nine = Array.from({ length: 9 }, (_, index) => `n${index}`);
  const cases: [string, RegExp][] = [
    [external('nowhere'), /is external and not there/],
    [external('bank'), /it is in zone `bank`/],
    [network(), /another network has a part of it/],
    [file(', networks: { default: { ipv4_address: 10.9.0.7 } }'), /as `10\.9\.0\.7`: no address of a host in/],
    [file(', network_mode: "container:gone"'), /No such container: gone/],
    [`${file(`, networks: [${nine.join()}]`)}networks: { ${nine.map((name) => `${name}: `).join()} }`, /attachments: /],
  ];
  for (const [changed, message] of cases) t.regex((await refused(changed)).message, message);
  await nest.docker.getNetwork('big').remove();
  const labels = { 'nest.zone': 'shop' };
  await nest.docker.createContainer({
    name: 'guest',
    Image: 'hello',
    Labels: labels,
    HostConfig: { NetworkMode: 'shop_default' },
  });
  t.regex((await refused(network())).message, /remove network `shop_default`: it has containers: guest/);
  const web = await nest.docker.getContainer('shop-web-1').inspect();
  t.is(web.Id, Id);
  t.true(web.State.Running);
  t.deepEqual((await made()).sort(), ['bank', 'shop_default']);
  await nest.docker.getContainer('guest').remove({ force: true });
  t.deepEqual(await deploy(network(', user: "5"')), ['web recreated shop-1']);
});

test.serial('a deploy that fails takes its networks with it, and says why it failed', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const web = `web: { image: hello, networks: [a, b], ports: ["${port}:80"] }`;
  const release = nest.guests.hold();
  const failing = refused(`services: { ${web} }\nnetworks: { a: , b: }\n`);
  await until('its guest to boot', () => nest.guests.created === 1);
  const labels = { 'nest.zone': 'shop' };
  const HostConfig = { NetworkMode: 'shop_b' };
  const other = nest.docker.createContainer({ name: 'other', Image: 'hello', Labels: labels, HostConfig });
  await until('another container to join', async () => {
    const { body } = await nest.call('GET', '/info');
    return (body as { Containers: number }).Containers === 2;
  });
  release();
  t.is((await failing).code, 'port-taken');
  await other;
  t.deepEqual(await made(), ['shop_b'], 'what somebody else is in stays');
});

test.serial('a deploy that cannot have its networks leaves nothing', async (t) => {
  const external = 'services: { web: { image: hello } }\nnetworks: { default: { external: true, name: there } }\n';
  t.like(await refused(external), { code: 'not-found', hint: 'nest network create there' });
  await nest.docker.createNetwork({ Name: 'shop_default' });
  t.regex((await refused('services: { web: { image: hello } }')).message, /is there, and not of this project/);
  await nest.docker.getNetwork('shop_default').remove();
  const overlap = 'networks: { default: { ipam: { config: [{ subnet: 172.17.0.0/24 }] } } }';
  t.regex((await refused(`services: { web: { image: hello } }\n${overlap}\n`)).message, /another network has a part/);
  const later = 'services: { web: { image: hello }, db: { image: "localhost:1/nope" } }';
  t.is((await refused(later)).code, 'image-not-found');
  t.deepEqual(await made(), []);
  t.deepEqual(await nest.docker.listContainers({ all: true }), []);
  await nest.docker.createNetwork({ Name: 'there' });
  t.deepEqual(await deploy(external), ['web created shop-1']);
  t.deepEqual((await down()).networks, [], 'what the project did not make stays');
});
