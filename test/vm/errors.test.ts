import test, { type ExecutionContext } from 'ava';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { busyboxImage } from '../helpers/images.ts';
import { openNest, type Nest, type Outcome } from '../helpers/nest.ts';

const IMAGE = 'localhost/busybox:test';

let nest: Nest;

test.before(async () => {
  nest = await openNest();
  await nest.ok('image', 'load', await busyboxImage(path.join(nest.paths.data, 'fixture'), { name: IMAGE }));
});

test.after.always(() => nest.close());

/** One line says what, one what to do next; nothing is left. */
async function refused(
  t: ExecutionContext,
  outcome: Outcome,
  error: RegExp,
  hint: RegExp,
  where = nest,
): Promise<void> {
  const lines = outcome.stderr
    .trimEnd()
    .split('\n')
    .filter((line) => /^(Error|Hint|\s)/.test(line));
  t.not(outcome.exitCode, 0);
  t.regex(lines[0] ?? '', error);
  t.regex(lines.slice(1).join('\n'), hint);
  t.deepEqual(await where.json('ps', '-a'), []);
  t.deepEqual(await where.json('vm', 'list'), []);
}

test.serial('an unknown image', async (t) => {
  const outcome = await nest.run(['run', '--rm', 'localhost:1/nobody/nothing:1', 'true']);
  await refused(t, outcome, /^Error: .*`localhost:1\/nobody\/nothing:1`/, /nest image load/);
});

test.serial('broken YAML names the line', async (t) => {
  const outcome = await nest.run(['deploy', await composeFile('services:\n  web:\n    image: "x\n')]);
  await refused(t, outcome, /^Error: .*compose\.yaml:[34]:/, /./);
});

test.serial('an unknown key names key and line', async (t) => {
  const outcome = await nest.run([
    'deploy',
    await composeFile(`services:\n  web:\n    image: ${IMAGE}\n    memlimit: 64m\n`),
  ]);
  await refused(t, outcome, /^Error: .*compose\.yaml:4:.*memlimit/, /mem_limit/);
});

test.serial('a port that is taken', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const file = await composeFile(
    `services:\n  web:\n    image: ${IMAGE}\n    command: sleep 1000\n    ports: ["${port}:80"]\n`,
  );
  await refused(
    t,
    await nest.run(['deploy', file]),
    new RegExp(`^Error: .*127\\.0\\.0\\.1:${port}`),
    /another port|stop/i,
  );
  server.close();
});

test.serial('no room for the memory asked', async (t) => {
  const outcome = await nest.run(['run', '-d', '-m', '4096g', IMAGE, 'true']);
  await refused(t, outcome, /^Error: .*4096/, /./);
});

test.serial('no libvirt', async (t) => {
  const other = await openNest({ NEST_LIBVIRT_URI: 'qemu+unix:///system?socket=/nonexistent/libvirt-sock' });
  await other.ok('image', 'load', path.join(nest.paths.data, 'fixture'));
  await refused(t, await other.run(['run', '-d', IMAGE, 'true']), /^Error: .*libvirt/, /libvirtd|doctor/, nest);
  t.deepEqual(await other.json('ps', '-a'), []);
  await other.ok('engine', 'stop');
});

test.serial('no guest image', async (t) => {
  const other = await openNest();
  await rm(other.paths.guestImages);
  await other.ok('image', 'load', path.join(nest.paths.data, 'fixture'));
  await refused(
    t,
    await other.run(['run', '-d', IMAGE, 'true']),
    /^Error: .*guest image/,
    /nest guest-image build/,
    other,
  );
  await other.close();
});

async function composeFile(text: string): Promise<string> {
  const folder = path.join(nest.paths.data, 'projects', 'bad');
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, 'compose.yaml');
  await writeFile(file, text);
  return file;
}
