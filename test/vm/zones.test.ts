import test from 'ava';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { busyboxImage } from '../helpers/images.ts';
import { openNest, type Nest } from '../helpers/nest.ts';
import { until } from '../helpers/until.ts';

const IMAGE = 'localhost/busybox:test';

let nest: Nest;

test.before(async () => {
  nest = await openNest();
  await nest.ok('image', 'load', await busyboxImage(path.join(nest.paths.data, 'fixture'), { name: IMAGE }));
});

test.after.always(() => nest.close());

const orders = [
  ['alpha', 'beta', 'gamma'],
  ['gamma', 'beta', 'alpha'],
];
for (const order of orders) {
  test.serial(
    `services of one zone share a kernel, another zone has its own (deployed ${order.join(', ')})`,
    async (t) => {
      for (const service of order) await nest.ok('deploy', await project(service));
      const bootId = (service: string) =>
        nest.ok('exec', `${service}-${service}-1`, 'cat', '/proc/sys/kernel/random/boot_id');
      const [alpha, beta, gamma] = await Promise.all(['alpha', 'beta', 'gamma'].map(bootId));
      t.is(alpha, beta);
      t.not(alpha, gamma);
      for (const service of order) await nest.ok('down', service);
      t.deepEqual(await nest.json('vm', 'list'), [], 'guests without containers are gone after down');
    },
  );
}

test.serial('deploying the same file again changes nothing and says so', async (t) => {
  const folder = await project('alpha');
  await nest.ok('deploy', folder);
  const before = await nest.json('ps');
  const again = (await nest.json('deploy', folder)) as { services: { action: string }[] };
  t.deepEqual(
    again.services.map((service) => service.action),
    ['unchanged'],
  );
  t.deepEqual(withoutAge(await nest.json('ps')), withoutAge(before));
  t.regex(await nest.ok('deploy', folder), /up to date/);

  const changed = (await nest.json('deploy', await project('alpha', 'sleep 2000'))) as {
    services: { action: string }[];
  };
  t.deepEqual(
    changed.services.map((service) => service.action),
    ['recreated'],
  );
  await nest.ok('down', 'alpha');
});

test.serial('services of a project find each other by name, and nobody else does', async (t) => {
  const folder = path.join(nest.paths.data, 'projects', 'shop');
  await mkdir(folder, { recursive: true });
  const file = `x-nest: { zone: shared }
services:
  db:
    image: ${IMAGE}
    command: sh -c 'echo rows > /index.html; exec httpd -f -h /'
    networks: { back: { aliases: [store] } }
    stop_grace_period: 1s
  web: { image: ${IMAGE}, command: sleep 1000, networks: [front, back], ports: ['80'], stop_grace_period: 1s }
  side: { image: ${IMAGE}, command: httpd -f -h /etc, network_mode: 'service:web', stop_grace_period: 1s }
  lone: { image: ${IMAGE}, command: sleep 1000, stop_grace_period: 1s }
networks: { front: , back: { internal: true } }
`;
  await writeFile(path.join(folder, 'compose.yaml'), file);
  const { services } = (await nest.json('deploy', folder)) as { services: { service: string; ports: string[] }[] };
  const fetch = (service: string, url: string) =>
    nest.run(['exec', `shop-${service}-1`, 'wget', '-qO-', `http://${url}`]);
  await until('the server of db', async () => (await fetch('db', '127.0.0.1')).exitCode === 0);
  for (const name of ['db', 'store', 'shop-db-1']) t.is((await fetch('web', name)).stdout, 'rows\n', name);
  t.regex((await fetch('lone', 'db')).stderr, /bad address/);
  const port = services.find(({ service }) => service === 'web')?.ports[0]?.split('->')[0] ?? '';
  const published = await globalThis.fetch(`http://${port}/hostname`);
  t.is(await published.text(), await nest.ok('exec', 'shop-web-1', 'cat', '/etc/hostname').then((name) => `${name}\n`));
  const names = async () => ((await nest.json('network', 'ls')) as { name: string }[]).map(({ name }) => name);
  t.deepEqual((await names()).slice(3).sort(), ['shop_back', 'shop_default', 'shop_front']);
  await nest.ok('down', 'shop');
  t.is((await names()).length, 3);
});

/** A project of one service; `alpha` and `beta` are of zone "shared", `gamma` of its own. */
async function project(name: string, command = 'sleep 1000'): Promise<string> {
  const folder = path.join(nest.paths.data, 'projects', name);
  await mkdir(folder, { recursive: true });
  const zone = name === 'gamma' ? '' : 'x-nest:\n  zone: shared\n';
  await writeFile(
    path.join(folder, 'compose.yaml'),
    `${zone}services:\n  ${name}:\n    image: ${IMAGE}\n    command: ${command}\n    mem_limit: 64m\n    stop_grace_period: 1s\n`,
  );
  return folder;
}

function withoutAge(containers: unknown): unknown {
  return (containers as Record<string, unknown>[]).map((container) => ({ ...container, status: '' }));
}
