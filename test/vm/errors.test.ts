import test, { type ExecutionContext } from 'ava';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
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

/** One line says what, the same or the next one what to do; nothing is left. */
function refused(t: ExecutionContext, outcome: Outcome, error: RegExp, advice: RegExp): void {
  const [first = '', ...hints] = outcome.stderr.split('\n').filter((line) => /^(Error|Hint):/.test(line));
  t.not(outcome.exitCode, 0);
  t.regex(first, error);
  t.regex([first, ...hints].join('\n'), advice);
}

async function nothingIsLeft(t: ExecutionContext, where = nest): Promise<void> {
  t.deepEqual(await where.json('ps', '-a'), []);
  t.deepEqual(await where.json('vm', 'list'), []);
  t.deepEqual(await readdir(where.paths.guests), []);
}

test.serial('an unknown image', async (t) => {
  const outcome = await nest.run(['run', '--rm', 'localhost:1/nobody/nothing:1', 'true']);
  refused(t, outcome, /No such image: localhost:1\/nobody\/nothing:1$/, /nest image load/);
  await nothingIsLeft(t);
});

test.serial('broken YAML names the line', async (t) => {
  const outcome = await nest.run(['deploy', await composeFile('services:\n  web:\n    image: "x\n')]);
  refused(t, outcome, /^Error: compose\.yaml:4:1: /, /mend the YAML/);
  await nothingIsLeft(t);
});

test.serial('an unknown key names key and line', async (t) => {
  const outcome = await nest.run([
    'deploy',
    await composeFile(`services:\n  web:\n    image: ${IMAGE}\n    memlimit: 64m\n`),
  ]);
  refused(t, outcome, /^Error: compose\.yaml:4:5: services\.web\.memlimit: unknown key/, /did you mean `mem_limit`/);
  await nothingIsLeft(t);
});

test.serial('a port that is taken', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const file = await composeFile(
    `services:\n  web:\n    image: ${IMAGE}\n    command: sleep 1000\n    ports: ["${port}:80"]\n`,
  );
  refused(t, await nest.run(['deploy', file]), new RegExp(`^Error: .*127\\.0\\.0\\.1:${port}`), /another port|stop/i);
  server.close();
  await nothingIsLeft(t);
});

test.serial('no room for the memory asked', async (t) => {
  const outcome = await nest.run(['run', '-d', '-m', '4096g', IMAGE, 'true']);
  refused(t, outcome, /the host has \d+ MiB/, /Ask for less memory/);
  await nothingIsLeft(t);
});

test.serial('no libvirt', async (t) => {
  const other = await openNest({ NEST_LIBVIRT_URI: 'qemu+unix:///system?socket=/nonexistent/libvirt-sock' });
  await other.ok('image', 'load', path.join(nest.paths.data, 'fixture'));
  refused(t, await other.run(['run', '-d', IMAGE, 'true']), /^Error: connect to libvirt/, /libvirtd/);
  t.false(existsSync(other.paths.guests));
  await other.ok('engine', 'stop');
});

test.serial('no guest image', async (t) => {
  const other = await openNest();
  await rm(other.paths.guestImages);
  await other.ok('image', 'load', path.join(nest.paths.data, 'fixture'));
  refused(t, await other.run(['run', '-d', IMAGE, 'true']), /^Error: .*guest image/, /nest guest-image build/);
  await other.close();
});

async function composeFile(text: string): Promise<string> {
  const folder = path.join(nest.paths.data, 'projects', 'bad');
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, 'compose.yaml');
  await writeFile(file, text);
  return file;
}
