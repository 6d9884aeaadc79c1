import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { openImages } from '../../src/images/images.ts';
import { openTestEngine, testPaths, type TestEngine } from '../helpers/engine.ts';
import { tarOf, temporaryFolder, writeImage } from '../helpers/images.ts';
import { startRegistry } from '../helpers/registry.ts';

/** An engine with a real store. */
async function openEngine(t: ExecutionContext): Promise<TestEngine & { folder: string }> {
  const folder = await temporaryFolder(t);
  const engine = await openTestEngine({ folder, openImages: () => openImages(testPaths(folder)) });
  t.teardown(() => engine.close());
  return { ...engine, folder };
}

async function archiveOf(folder: string, name: string): Promise<string> {
  const layers = [{ tar: await tarOf([{ name: 'file', content: name }]) }];
  return writeImage(path.join(folder, name.replaceAll(/[^a-z0-9]/g, '-')), layers, { name, format: 'oci-archive' });
}

async function load(engine: TestEngine, file: string, query: object = {}): Promise<string> {
  return text(Readable.from(await engine.docker.loadImage(createReadStream(file), query)));
}

test('an image is loaded, tagged, inspected, saved, removed and pruned through the API', async (t) => {
  const engine = await openEngine(t);
  t.regex(await load(engine, await archiveOf(engine.folder, 'web:1')), /Loaded image: web:1/);
  const image = engine.docker.getImage('web:1');
  await image.tag({ repo: 'localhost:5000/team/web', tag: '2' });
  const details = await image.inspect();
  t.deepEqual(details.RepoTags, ['web:1', 'localhost:5000/team/web:2']);
  t.regex(details.RepoDigests[0] ?? '', /^web@sha256:/);
  t.like(await image.history(), [{ Id: details.Id, Size: details.Size, Tags: details.RepoTags }]);
  const listed = await engine.docker.listImages({ filters: JSON.stringify({ reference: ['localhost:5000/*/web'] }) });
  t.is(listed.length, 1);
  t.is((await engine.docker.listImages({ filters: JSON.stringify({ reference: ['other*'] }) })).length, 0);

  const saved = path.join(engine.folder, 'saved.tar');
  await writeFile(saved, await buffer(await image.get()));
  t.deepEqual((await engine.call('DELETE', '/images/web:1')).body, [{ Untagged: 'web:1' }]);
  const gone = (await engine.call('DELETE', '/images/localhost:5000/team/web:2')).body;
  t.deepEqual(gone, [{ Untagged: 'localhost:5000/team/web:2' }, { Deleted: details.Id }]);
  t.is((await engine.call('DELETE', '/images/web:1')).status, 404);

  t.regex(await load(engine, saved), /Loaded image: web:1/);
  await load(engine, await archiveOf(engine.folder, 'other:1'));
  await engine.docker.getImage('other:1').tag({ repo: 'web', tag: '1' });
  t.is((await engine.docker.listImages({ filters: JSON.stringify({ dangling: ['true'] }) })).length, 1);
  const dangling = await engine.docker.pruneImages();
  t.deepEqual(
    dangling.ImagesDeleted,
    [{ Untagged: '', Deleted: details.Id }].map(({ Deleted }) => ({ Deleted })) as never,
  );
  const all = await engine.docker.pruneImages({ filters: JSON.stringify({ dangling: ['false'] }) });
  t.true(all.SpaceReclaimed > 0);
  t.deepEqual(await engine.docker.listImages(), []);
});

test('what is wrong with an archive is told with its user’s name for it', async (t) => {
  const engine = await openEngine(t);
  const file = path.join(engine.folder, 'bad.tar');
  await writeFile(file, 'no archive');
  const reply = await load(engine, file, { name: 'my file.tar' });
  t.regex(reply, /read image `my file.tar`/);
  t.notRegex(await load(engine, file), /uploads/);
});

test('an image of a container is removed by force only, and not by pruning', async (t) => {
  const engine = await openEngine(t);
  await load(engine, await archiveOf(engine.folder, 'web:1'));
  await engine.docker.createContainer({ name: 'user', Image: 'web:1', Cmd: ['x'] });
  const refused = await engine.call('DELETE', '/images/web:1');
  t.is(refused.status, 409);
  t.regex((refused.body as { message: string }).message, /container `user`/);
  await engine.docker.pruneImages({ filters: JSON.stringify({ dangling: ['false'] }) });
  t.is((await engine.docker.listImages())[0]?.Containers, 1);
  t.is((await engine.call('DELETE', '/images/web:1?force=1')).status, 200);
});

test('images are pushed and pulled with the credentials of the request', async (t) => {
  const engine = await openEngine(t);
  const registry = await startRegistry(t, { login: true });
  const name = `${registry}/team/web`;
  await load(engine, await archiveOf(engine.folder, `${name}:1`));
  const image = engine.docker.getImage(name);
  const refused = await text(Readable.from(await image.push({ tag: '1' })));
  t.regex(refused, /"code":"unauthorized"/);
  const authconfig = { username: 'someone', password: 'correct horse', serveraddress: registry };
  const pushed = await text(Readable.from(await image.push({ tag: '1', authconfig })));
  const digest = /"Digest":"(sha256:[0-9a-f]{64})"/.exec(pushed)?.[1] ?? '';
  t.not(digest, '', pushed);
  await engine.call('DELETE', `/images/${name}:1`);
  const pulled = await text(Readable.from(await engine.docker.pull(`${name}:1`, { authconfig })));
  t.true(pulled.includes(`"Digest: ${digest}"`), pulled);
  t.regex(pulled, /"id":"[0-9a-f]{12}","status":"Download complete"/);
  t.is((await engine.docker.listImages()).length, 1);
});

test('a container stands still while it is committed, unless it need not', async (t) => {
  const engine = await openEngine(t);
  await load(engine, await archiveOf(engine.folder, 'base:1'));
  const container = await engine.docker.createContainer({ name: 'worker', Image: 'base:1', Cmd: ['sleep'] });
  await container.start();
  const guest = engine.guests.agent(engine.guests.list()[0]?.id ?? '');
  await container.commit({ repo: 'committed', tag: '1' });
  await container.commit({ repo: 'committed', tag: '2', pause: false });
  t.deepEqual(guest.readPaused, [true, false]);
  t.false((await container.inspect()).State.Paused);
  await container.pause();
  await container.commit({ repo: 'committed', tag: '3' });
  t.true((await container.inspect()).State.Paused, 'one that was paused before stays so');
  await container.stop();
  await container.commit({ repo: 'committed', tag: '4' });
  t.is((await engine.docker.listImages()).length, 5);
});

test('disk usage tells what only the cache of builds has', async (t) => {
  const engine = await openEngine(t);
  await load(engine, await archiveOf(engine.folder, 'base:1'));
  const context = await tarOf([
    { name: 'Dockerfile', content: 'FROM base:1\nENV A=b\nCOPY large /\n' },
    { name: 'large', content: 'x'.repeat(300_000) },
  ]);
  t.regex(
    await text(Readable.from(await engine.docker.buildImage(Readable.from([context]), { t: 'built' }))),
    /Successfully/,
  );
  const row = async () =>
    ((await engine.call('GET', '/nest/disk')).body as { type: string }[]).find(({ type }) => type === 'Build cache');
  t.like(await row(), { total: 2, active: 1, size: 0, reclaimable: 0 });
  await engine.docker.getImage('built').remove();
  const { size } = (await row()) as unknown as { size: number };
  t.true(size > 300_000);
  t.like(await row(), { total: 2, active: 0, reclaimable: size });
  const { BuildCache: records } = (await engine.docker.df()) as { BuildCache: { Size: number; Shared: boolean }[] };
  t.deepEqual(
    records.map(({ Size, Shared }) => [Size > 300_000, Shared]),
    [
      [false, false],
      [true, false],
    ],
  );
  await engine.call('POST', '/build/prune');
  t.like(await row(), { total: 0, size: 0 });
});
