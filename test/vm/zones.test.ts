import test from 'ava';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { busyboxImage } from '../helpers/images.ts';
import { openNest, type Nest } from '../helpers/nest.ts';

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
