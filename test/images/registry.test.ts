import { execFileSync } from 'node:child_process';
import path from 'node:path';
import test from 'ava';
import { openImages } from '../../src/images/images.ts';
import { progressTo, silent } from '../../src/progress.ts';
import { busyboxImage, pathsIn, temporaryFolder } from '../helpers/images.ts';
import { freePort, startRegistry } from '../helpers/registry.ts';

test('an image is pulled from a registry by tag and by digest, and what it has not is told', async (t) => {
  const registry = await startRegistry(t);
  const folder = await temporaryFolder(t);
  const source = await busyboxImage(path.join(folder, 'source'), { name: 'localhost/x:1', files: { a: 'b' } });
  execFileSync('skopeo', [
    '--insecure-policy',
    'copy',
    '-q',
    '--dest-tls-verify=false',
    `oci:${source}`,
    `docker://${registry}/team/app:1`,
  ]);

  const images = await openImages(pathsIn(folder));
  const details: string[] = [];
  const progress = progressTo((event) => {
    if (event.type === 'step' && event.detail !== undefined) details.push(event.detail);
  });
  const [image] = await images.load({ kind: 'registry', reference: `${registry}/team/app:1` }, progress);
  if (!image) return t.fail();
  t.deepEqual(image.references, [`${registry}/team/app:1`]);
  t.is(image.layers.length, 2);
  t.true(details.some((detail) => /^\d+ [kM]B of \d+ [kM]B$/.test(detail)));

  const digest = execFileSync(
    'skopeo',
    ['inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${registry}/team/app:1`],
    { encoding: 'utf8' },
  ).trim();
  const byDigest = `${registry}/team/app@${digest}`;
  const [again] = await images.load({ kind: 'registry', reference: byDigest }, silent);
  t.is(again?.id, image.id);
  t.is((await images.find(byDigest))?.id, image.id);

  for (const missing of [`${registry}/team/app:2`, `${registry}/nobody/nothing`]) {
    const error = await t.throwsAsync(images.load({ kind: 'registry', reference: missing }, silent), {
      code: 'image-not-found',
      message: /^pull `.*`: not found/,
    });
    t.regex((error as { hint?: string }).hint ?? '', /nest image load/);
  }
  t.is((await images.list()).length, 1);
});

test('a registry that nobody answers for is told as such', async (t) => {
  const images = await openImages(pathsIn(await temporaryFolder(t)));
  const reference = `127.0.0.1:${await freePort()}/x:1`;
  const error = await t.throwsAsync(images.load({ kind: 'registry', reference }, silent), {
    code: 'registry-failed',
    message: /connection refused/,
  });
  t.regex((error as { hint?: string }).hint ?? '', /cannot be reached/);
  await t.throwsAsync(images.load({ kind: 'registry', reference: 'Not A Name' }, silent), { code: 'invalid-input' });
});
