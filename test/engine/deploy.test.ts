import test from 'ava';
import { createServer, type AddressInfo } from 'node:net';
import type { DeployResult, DownResult } from '../../src/api.ts';
import type { ErrorBody } from '../../src/errors.ts';
import { openTestEngine, type TestEngine } from '../helpers/engine.ts';
import { until } from '../helpers/until.ts';

let nest: TestEngine;

test.beforeEach(async () => {
  nest = await openTestEngine();
});
test.afterEach.always(() => nest.close());

const request = (file: string) => ({ file, fileName: 'compose.yaml', folder: 'shop', environment: {} });

async function deploy(file: string): Promise<DeployResult> {
  return result(await nest.stream('POST', '/nest/deployments', request(file))) as DeployResult;
}

async function refused(file: string): Promise<ErrorBody> {
  const last = (await nest.stream('POST', '/nest/deployments', request(file))).at(-1);
  if (last?.['type'] !== 'error') throw new Error(`not refused: ${JSON.stringify(last)}`);
  return last['error'] as ErrorBody;
}

function result(events: Record<string, unknown>[]): unknown {
  const last = events.at(-1);
  if (last?.['type'] !== 'result') throw new Error(JSON.stringify(last));
  return last['value'];
}

const actions = ({ services }: DeployResult) => services.map(({ service, action }) => `${service} ${action}`);
const containers = async () =>
  (await nest.docker.listContainers({ all: true })).map(({ Names, State }) => `${Names[0] ?? ''} ${State}`).sort();

const SHOP = `services:
  web: { image: hello, ports: ["80"] }
  db: { image: hello, x-nest: { zone: data } }
`;

test.serial('a deploy creates and starts what is not there, and says where and why', async (t) => {
  const events = await nest.stream('POST', '/nest/deployments', request(SHOP));
  const { project, services } = result(events) as DeployResult;
  t.is(project, 'shop');
  t.like(services[0], {
    service: 'web',
    container: 'shop-web-1',
    action: 'created',
    zone: 'shop',
    guest: 'shop-1',
    reason: 'new guest shop-1: zone shop has none',
  });
  t.regex(services[0]?.ports[0] ?? '', /^127\.0\.0\.1:\d+->80\/tcp$/);
  t.like(services[1], { zone: 'data', guest: 'data-1', ports: [] });
  t.deepEqual(await containers(), ['/shop-db-1 running', '/shop-web-1 running']);
  t.true(events.some((event) => event['title'] === 'Booting guest shop-1' && event['state'] === 'done'));
});

test.serial('the same file again changes nothing and says so', async (t) => {
  const first = await deploy(SHOP);
  const again = await deploy(SHOP);
  t.deepEqual(actions(again), ['web unchanged', 'db unchanged']);
  t.deepEqual(again.services[0]?.ports, first.services[0]?.ports);
});

test.serial('only what differs is done again; a service that left the file is removed with its guest', async (t) => {
  await deploy(SHOP);
  const changed = await deploy(`services:\n  web: { image: hello, environment: { A: b } }\n`);
  t.deepEqual(actions(changed), ['db removed', 'web recreated']);
  t.deepEqual(await containers(), ['/shop-web-1 running']);
  t.deepEqual(
    nest.guests.list().map(({ name }) => name),
    ['shop-1'],
  );
});

test.serial('a stopped service is started, one whose guest ended is made anew', async (t) => {
  await deploy(SHOP);
  await nest.docker.getContainer('shop-web-1').stop();
  const data = nest.guests.list().find(({ zone }) => zone === 'data');
  await nest.guests.crash(data?.id ?? '');
  t.deepEqual(actions(await deploy(SHOP)), ['web started', 'db recreated']);
  t.deepEqual(await containers(), ['/shop-db-1 running', '/shop-web-1 running']);
  await until('the stopped guest to go', () => nest.guests.list().length === 2);
});

test.serial('a deploy that fails on a taken port leaves nothing, and names the port', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await until('the port to be taken', () => server.listening);
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const error = await refused(`services:
  one: { image: hello }
  two: { image: hello, ports: ["${port}:80"] }
`);
  t.like(error, { code: 'port-taken', message: `listen on \`127.0.0.1:${port}\`: port is already allocated` });
  t.deepEqual(await containers(), []);
  t.deepEqual(nest.guests.list(), []);
});

test.serial('a taken port names the container that has it', async (t) => {
  const { services } = await deploy(SHOP);
  const port = services[0]?.ports[0]?.split(/[:-]/)[1] ?? '';
  const other = { ...request(`services:\n  web: { image: hello, ports: ["${port}:80"] }\n`), project: 'other' };
  const events = await nest.stream('POST', '/nest/deployments', other);
  t.regex((events.at(-1)?.['error'] as ErrorBody).message, /already allocated by container shop-web-1$/);
  t.deepEqual(await containers(), ['/shop-db-1 running', '/shop-web-1 running']);
});

test.serial('an image that is neither here nor in a registry is one clear error', async (t) => {
  const error = await refused('services:\n  web: { image: "localhost:1/nope" }\n');
  t.is(error.code, 'image-not-found');
  t.deepEqual(await containers(), []);
});

test.serial('a broken file is refused with its line', async (t) => {
  const error = await refused('services:\n  web: { image: hello, prots: [] }\n');
  t.is(error.code, 'invalid-compose');
  t.regex(error.message, /compose\.yaml:2:/);
});

test.serial('down removes containers and the guests that held nothing else; again it has nothing to do', async (t) => {
  await deploy(SHOP);
  await nest.docker.createContainer({ Image: 'hello', name: 'mine', Labels: { 'nest.zone': 'data' } });
  const down = async () => result(await nest.stream('DELETE', '/nest/deployments/shop')) as DownResult;
  const { removed, guests } = await down();
  t.deepEqual(removed.sort(), ['shop-db-1', 'shop-web-1']);
  t.deepEqual(guests, ['shop-1']);
  t.deepEqual(await containers(), ['/mine created']);
  t.deepEqual(await down(), { project: 'shop', removed: [], guests: [], volumes: [], networks: [] });
});

test.serial('deployments are listed with their services and zones', async (t) => {
  await deploy(SHOP);
  await nest.docker.getContainer('shop-db-1').stop();
  const { body } = await nest.call('GET', '/nest/deployments');
  t.deepEqual(body, [{ project: 'shop', services: 2, running: 1, zones: ['data', 'shop'] }]);
});

test.serial('a client that closes its connection cancels the deploy, which leaves nothing', async (t) => {
  nest.guests.hold();
  const gone = new AbortController();
  const stream = nest.stream('POST', '/nest/deployments', request(SHOP), gone.signal);
  await until('the guests to boot', () => nest.guests.created === 2);
  gone.abort();
  await t.throwsAsync(stream);
  await until('all to be undone', async () => {
    const { body } = await nest.call('GET', '/info');
    return (body as { Containers: number }).Containers === 0;
  });
  t.deepEqual(nest.guests.list(), []);
});
