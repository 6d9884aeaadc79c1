import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { silent } from '../../src/progress.ts';
import { startFaultyProxy, type Fault } from '../helpers/faulty-proxy.ts';
import { sha256, tarOf, writeImage } from '../helpers/images.ts';
import { assertEmpty, openTestImages, type OpenedImages } from '../helpers/image-store.ts';
import { PASSWORD, startRegistry, USER } from '../helpers/registry.ts';

interface Served extends OpenedImages {
  registry: string;
  /** `GET /v2/…` of the layers, base first. */
  blobs: string[];
}

/** A registry with one image of two layers, `team/app:1`, one of them large enough to be cut in the middle. */
async function served(t: ExecutionContext, options: { login?: boolean } = {}): Promise<Served> {
  const registry = await startRegistry(t, options);
  const opened = await openTestImages(t);
  const tars = [
    await tarOf([{ name: 'small', content: 'x' }]),
    await tarOf([{ name: 'large', content: randomBytes(3 * 1024 * 1024) }]),
  ];
  const source = await writeImage(
    path.join(opened.folder, 'source'),
    tars.map((tar) => ({ tar })),
  );
  const login = options.login ? ['--dest-creds', `${USER}:${PASSWORD}`] : [];
  const flags = ['--insecure-policy', 'copy', '-q', '--dest-tls-verify=false', '--preserve-digests', ...login];
  execFileSync('skopeo', [...flags, '--dest-compress-format=gzip', `oci:${source}`, `docker://${registry}/team/app:1`]);
  return { ...opened, registry, blobs: tars.map((tar) => `GET /v2/team/app/blobs/${sha256(tar)}`) };
}

/** Answers the first `times` requests of `line` with a fault. */
function first(times: number, line: string | undefined, fault: Fault) {
  let left = times;
  return (seen: string) => (seen === line && left-- > 0 ? fault : undefined);
}

const recovers = test.macro<[string, Fault, 'blob' | 'manifest']>({
  async exec(t, _, fault, where) {
    const { registry, blobs, images } = await served(t);
    const line = where === 'blob' ? blobs[1] : 'GET /v2/team/app/manifests/1';
    const { address, seen } = await startFaultyProxy(t, registry, first(1, line, fault));
    const [image] = await images.load({ kind: 'registry', reference: `${address}/team/app:1` }, silent);
    t.is(image?.layers.length, 2);
    t.is(seen.filter((each) => each === blobs[0]).length, 1, 'a layer that has come is not fetched again');
    if (where === 'blob') t.is(seen.filter((each) => each === blobs[1]).length, 2);
  },
  title: (_, what) => `${what} once: the pull goes on from there`,
});

test(recovers, 'a connection that is cut in the middle of a blob', { cutAfter: 1_000_000 }, 'blob');
test(recovers, '500 for a blob', { status: 500 }, 'blob');
test(recovers, '503 for the manifest', { status: 503 }, 'manifest');
test(recovers, '429 for a blob', { status: 429, headers: { 'Retry-After': '1' } }, 'blob');

const fails = test.macro<[string, Fault, { code: string; message?: RegExp }]>({
  async exec(t, _, fault, expected) {
    const { registry, blobs, images, ...opened } = await served(t);
    let broken = true;
    const { address, seen } = await startFaultyProxy(t, registry, (line) =>
      broken && line === blobs[1] ? fault : undefined,
    );
    const source = { kind: 'registry', reference: `${address}/team/app:1` } as const;
    await t.throwsAsync(images.load(source, silent), expected);
    t.deepEqual(await images.list(), []);
    // What has come is there for the next try, and nowhere else.
    broken = false;
    const before = seen.length;
    t.is((await images.load(source, silent)).length, 1);
    t.false(seen.slice(before).includes(blobs[0] ?? ''));
    await images.prune(() => true);
    await assertEmpty(t, { ...opened, images });
  },
  title: (_, what) => `${what}: the pull fails with its cause, and succeeds once it is over`,
});

test(
  fails,
  'a blob with another digest',
  { corrupt: true },
  { code: 'image-invalid', message: /[Dd]igest did not match/ },
);
test(fails, 'a blob that is truncated', { truncate: 1_000_000 }, { code: 'image-invalid' });
test(fails, 'a connection that is always cut', { cutAfter: 1_000_000 }, { code: 'registry-failed' });
test(fails, '500 for ever', { status: 500 }, { code: 'registry-failed', message: /500/ });

test('a login is asked for, taken from auth.json, and refused when it is wrong', async (t) => {
  const { registry, images, folder } = await served(t, { login: true });
  const reference = `${registry}/team/app:1`;
  const error = await t.throwsAsync(images.load({ kind: 'registry', reference }, silent), { code: 'unauthorized' });
  t.regex((error as { hint?: string }).hint ?? '', /skopeo login/);
  const authFile = path.join(folder, 'auth.json');
  const write = (password: string) =>
    writeFile(
      authFile,
      JSON.stringify({ auths: { [registry]: { auth: Buffer.from(`${USER}:${password}`).toString('base64') } } }),
    );
  await write('wrong');
  await t.throwsAsync(images.load({ kind: 'registry', reference, authFile }, silent), { code: 'unauthorized' });
  await write(PASSWORD);
  t.is((await images.load({ kind: 'registry', reference, authFile }, silent)).length, 1);

  await images.tag(reference, `${registry}/team/copy:2`);
  await t.throwsAsync(images.push(`${registry}/team/copy:2`, { progress: silent }), { code: 'unauthorized' });
  const digest = await images.push(`${registry}/team/copy:2`, { progress: silent, authFile });
  t.regex(digest, /^sha256:[0-9a-f]{64}$/);
  const [again] = await images.load(
    { kind: 'registry', reference: `${registry}/team/copy@${digest}`, authFile },
    silent,
  );
  t.is(again?.references.length, 3);
});

test('a token that expires in the middle of a pull is asked for again', async (t) => {
  const { registry, images, blobs } = await served(t);
  let tokens = 0;
  let expired = false;
  const proxy = await startFaultyProxy(t, registry, (line, { headers }) => {
    if (line.startsWith('GET /token'))
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: `{"token":"t${++tokens}","expires_in":300}`,
      };
    // The layer is asked for with a token that was good until then.
    if (line === blobs[1] && !expired) {
      expired = true;
      return { status: 401 };
    }
    if (headers.authorization === `Bearer t${tokens}` && tokens > 0) return undefined;
    const realm = `http://${headers.host ?? ''}/token`;
    return {
      status: 401,
      headers: { 'www-authenticate': `Bearer realm="${realm}",service="test",scope="repository:team/app:pull"` },
    };
  });
  const [image] = await images.load({ kind: 'registry', reference: `${proxy.address}/team/app:1` }, silent);
  t.is(image?.layers.length, 2);
  t.true(expired);
});

test('pulls of the same image at the same time fetch each blob once', async (t) => {
  const { registry, images, blobs } = await served(t);
  const { address, seen } = await startFaultyProxy(t, registry, () => undefined);
  const pulls = [1, 2, 3].map(() => images.load({ kind: 'registry', reference: `${address}/team/app:1` }, silent));
  t.is(new Set((await Promise.all(pulls)).map(([image]) => image?.id)).size, 1);
  for (const blob of blobs) t.is(seen.filter((line) => line === blob).length, 1);
});

test('a second image of the registry fetches only what the first one has not', async (t) => {
  const { registry, images } = await served(t);
  await images.load({ kind: 'registry', reference: `${registry}/team/app:1` }, silent);
  const assembly = await images.assemble();
  const [image] = await images.list();
  const base = assembly.layersOf(image?.id ?? '') ?? [];
  await assembly.addImage({ architecture: 'amd64', os: 'linux' }, base, [`${registry}/team/two:1`]);
  await assembly[Symbol.asyncDispose]();
  await images.push(`${registry}/team/two:1`, { progress: silent });
  const { address, seen } = await startFaultyProxy(t, registry, () => undefined);
  const [two] = await images.load({ kind: 'registry', reference: `${address}/team/two:1` }, silent);
  t.deepEqual(two?.layers, image?.layers);
  t.is(seen.filter((line) => /^GET .*blobs/.test(line)).length, 1, 'its configuration');
});

test('a cancelled pull ends with its programs', async (t) => {
  const { registry, images } = await served(t);
  const stop = new AbortController();
  const { address } = await startFaultyProxy(t, registry, (line) => {
    if (line.includes('/blobs/')) stop.abort();
    return undefined;
  });
  await t.throwsAsync(images.load({ kind: 'registry', reference: `${address}/team/app:1` }, silent, stop.signal), {
    name: 'AbortError',
  });
  t.deepEqual(await images.list(), []);
});
