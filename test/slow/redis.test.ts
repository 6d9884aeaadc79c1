import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import Docker from 'dockerode';
import { openNest, type Nest } from '../helpers/nest.ts';

const TEMPLATE = path.join(import.meta.dirname, '../../templates/redis');

let nest: Nest;

test.before(async (t) => {
  t.timeout(600_000, 'Debian is brought from its archive');
  // Does nothing where it was run before.
  await promisify(execFile)(path.join(TEMPLATE, 'prepare'));
  nest = await openNest();
});

test.after.always(() => nest.close());

test.serial('a service is built from Debian packages, and answers', async (t) => {
  t.timeout(600_000, 'dpkg is slow in an emulated guest');
  const { layers } = (await nest.json('build', '-t', 'localhost/redis', TEMPLATE)) as { layers: string[] };
  t.is(layers.length, 2, 'all that dpkg installed, and the configuration');
  await nest.ok('run', '-d', '--name', 'redis', 'localhost/redis');
  t.is(await nest.ok('exec', 'redis', 'redis-cli', 'ping'), 'PONG');
  t.is(await nest.ok('exec', 'redis', 'id', '-un'), 'redis');
  await nest.ok('rm', '-f', 'redis');
});

test.serial('its second build is all cached, and its layers are shown', async (t) => {
  const again = await nest.run(['build', '-t', 'localhost/redis', TEMPLATE]);
  t.is(again.stderr.match(/^ {2}cached$/gm)?.length, 15, 'all but the three FROM');
  const docker = new Docker({ socketPath: nest.paths.engineSocket, host: '', protocol: 'http' });
  const history = (await docker.getImage('localhost/redis').history()) as { CreatedBy: string; Size: number }[];
  t.deepEqual(
    history.filter(({ Size }) => Size > 0).map(({ CreatedBy }) => CreatedBy),
    ['COPY redis.conf /etc/redis/nest.conf', 'COPY --from=install / /'],
  );
});
