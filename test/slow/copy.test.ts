/** CVE-2018-15664 and CVE-2019-14271: what a container does to its links while files are copied reaches nothing outside. */
import path from 'node:path';
import test from 'ava';
import Docker from 'dockerode';
import { buffer } from 'node:stream/consumers';
import { readTar } from '../../guest-agent/tar/reader.ts';
import { busyboxImage, streamOf, tarOf } from '../helpers/images.ts';
import { openNest } from '../helpers/nest.ts';

const IMAGE = 'localhost/busybox:copy';
const ROUNDS = 500;
/** `d` is a folder of the container, a link to the guest's own state, which has `containers` in it, or absent. */
const SWAP =
  'mkdir -p /x/real; echo inside >/x/real/file; cd /x; while :; do ln -sfn /var/lib/nest d; rm d; mv real d; mv d real; done';

test(`${ROUNDS} copies each way while links are swapped stay in the container`, async (t) => {
  t.timeout(30 * 60_000);
  const nest = await openNest();
  t.teardown(() => nest.close());
  await nest.ok('image', 'load', await busyboxImage(path.join(nest.paths.data, 'fixture'), { name: IMAGE }));
  await nest.ok('run', '-d', '--name', 'swapper', IMAGE, 'sh', '-c', SWAP);
  const docker = new Docker({ socketPath: nest.paths.engineSocket, host: '', protocol: 'http' });
  const swapper = docker.getContainer('swapper');
  const archive = await tarOf([{ name: 'containers/' }, { name: 'containers/canary', content: 'x' }]);
  const counts = { in: 0, out: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    await swapper.putArchive(archive, { path: '/x/d' }).then(
      () => counts.in++,
      () => undefined,
    );
    const copy = await swapper.getArchive({ path: '/x/d/.' }).catch(() => undefined);
    if (copy === undefined) continue;
    const names: string[] = [];
    for await (const { entry } of readTar(streamOf(await buffer(copy)))) names.push(entry.name);
    counts.out++;
    t.false(
      names.some((name) => /^\.\/containers\/[0-9a-f]{64}/.test(name)),
      names.join(' '),
    );
  }
  t.log(`${counts.in} copies in, ${counts.out} out went through`);
  t.true(counts.in > 0 && counts.out > 0);
  // The guest's own folder has the containers that it had: another one starts and ends as ever.
  t.is(await nest.ok('run', '--rm', IMAGE, 'echo', 'well'), 'well');
});
