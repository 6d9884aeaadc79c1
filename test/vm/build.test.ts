import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import Docker from 'dockerode';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { text } from 'node:stream/consumers';
import { busyboxImage } from '../helpers/images.ts';
import { openNest, type Nest } from '../helpers/nest.ts';
import { until } from '../helpers/until.ts';

let nest: Nest;
let context: string;

test.before(async () => {
  nest = await openNest();
  await nest.ok(
    'image',
    'load',
    await busyboxImage(path.join(nest.paths.data, 'fixture'), { name: 'localhost/busybox:build' }),
  );
  context = path.join(nest.paths.data, 'context');
  await mkdir(path.join(context, 'src'), { recursive: true });
  await writeFile(path.join(context, 'src/page'), 'hello\n');
  await writeFile(path.join(context, 'ignored'), 'x');
  await writeFile(path.join(context, '.dockerignore'), 'ignored\n');
  await symlink('/etc/passwd', path.join(context, 'outside'));
  await writeFile(path.join(context, 'Dockerfile'), DOCKERFILE);
  await writeFile(path.join(nest.paths.data, 'token'), 'top secret');
});

test.after.always(() => nest.close());

const DOCKERFILE = `FROM localhost/busybox:build AS builder
ARG WHO=world
WORKDIR /build
COPY . .
RUN --mount=type=secret,id=token sh -ec 'cat /run/secrets/token | wc -c > size; echo "$WHO" >> src/page; chmod 4711 src/page; ls > names'
RUN <<EOF
set -e
rm /etc/group
ln src/page linked
id -u > who
EOF

FROM localhost/busybox:build
COPY --from=builder --chown=nobody:nobody /build/src /www
COPY --from=builder /build/size /build/names /build/who /facts/
RUN rm /etc/group && mkdir -p /var/empty && mkfifo /fifo
USER nobody
CMD ["cat", "/www/page"]
`;

interface Result {
  id: string;
  layers: string[];
}

const build = async (...flags: string[]) =>
  (await nest.json(
    'build',
    '--secret',
    `id=token,src=${path.join(nest.paths.data, 'token')}`,
    ...flags,
    context,
  )) as Result;

test.serial('a Dockerfile with stages becomes an image that runs', async (t) => {
  const { layers } = await build('-t', 'app:1', '-t', 'localhost/app:also', '--build-arg', 'WHO=nest');
  t.is(layers.length, 4, 'the base, two COPY, one RUN');
  t.is(await nest.ok('run', '--rm', 'app:1'), 'hello\nnest');
  const script =
    'cat /facts/size /facts/names /facts/who; ls -ln /www/page; ls /etc /var /fifo; ls -d /run/secrets || true';
  const out = await nest.ok('run', '--rm', 'localhost/app:also', 'sh', '-c', script);
  t.regex(out, /^10\nDockerfile\nnames\noutside\nsize\nsrc\n0\n/);
  t.regex(out, /-rws--x--x +1 65534 +65534/);
  t.notRegex(out, /group/);
  t.regex(out, /^empty$/m);
});

test.serial('the second build is all cached, and boots nothing', async (t) => {
  const first = await build('-t', 'app:1', '--build-arg', 'WHO=nest');
  const outcome = await nest.run([
    'build',
    '--build-arg',
    'WHO=nest',
    '--secret',
    `id=token,src=${path.join(nest.paths.data, 'token')}`,
    context,
  ]);
  t.is(outcome.exitCode, 0);
  t.is(outcome.stderr.match(/^ {2}cached$/gm)?.length, 10);
  t.is((await build('--build-arg', 'WHO=nest')).id, first.id);
  t.deepEqual(buildGuests(await nest.json('vm', 'list')), []);
});

test.serial('the secret is in no layer and no image', async (t) => {
  const blobs = path.join(nest.paths.imageStore, 'blobs/sha256');
  for (const name of await readdir(blobs))
    t.false((await readFile(path.join(blobs, name))).includes('top secret'), name);
});

test.serial('a command that fails fails the build, with its output and its line; nothing is left', async (t) => {
  const outcome = await nest.run(
    ['build', '-f', '-', context],
    'FROM localhost/busybox:build\n\nRUN echo before; exit 3\n',
  );
  t.is(outcome.exitCode, 1);
  t.regex(outcome.stderr, /before/);
  t.regex(outcome.stderr, /Error: Dockerfile:3: RUN echo before; exit 3: exit code 3/);
  t.deepEqual(buildGuests(await nest.json('vm', 'list')), []);
});

test.serial('a build whose client goes away is undone, and succeeds when it is repeated', async (t) => {
  await writeFile(
    path.join(context, 'Slow'),
    'FROM localhost/busybox:build\nRUN echo one > /one\nRUN sleep ${S:-1000}; echo two > /two\n',
  );
  const slow = nest.start(['build', '-f', path.join(context, 'Slow'), '--progress', 'plain', context]);
  const ended = new Promise((resolve) => slow.once('exit', resolve));
  let said = '';
  slow.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await until('the second RUN', () => said.includes('[3/3]'), 90);
  slow.kill('SIGINT');
  t.is(await ended, 130);
  await until('the end of the guest of the build', async () => buildGuests(await nest.json('vm', 'list')).length === 0);
  await writeFile(
    path.join(context, 'Slow'),
    'FROM localhost/busybox:build\nRUN echo one > /one\nRUN echo two > /two\n',
  );
  const again = await nest.run(['build', '-f', path.join(context, 'Slow'), context]);
  t.regex(again.stderr, /\[2\/3\] RUN echo one > \/one\n {2}cached\n/);
  t.is(again.exitCode, 0, again.stderr);
});

test.serial('an engine that is killed leaves whole steps; the next one removes the guest and goes on', async (t) => {
  const file = path.join(context, 'Killed');
  await writeFile(file, 'FROM localhost/busybox:build\nRUN echo one > /1\nRUN sleep 1000\n');
  const slow = nest.start(['build', '-f', file, '--progress', 'plain', context]);
  const ended = new Promise((resolve) => slow.once('exit', resolve));
  let said = '';
  slow.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await until('the second RUN', () => said.includes('[3/3]'), 90);
  const { pid } = (await nest.json('engine', 'status')) as { pid: number };
  process.kill(pid, 'SIGKILL');
  t.is(await ended, 1);
  await writeFile(file, 'FROM localhost/busybox:build\nRUN echo one > /1\nRUN echo two > /2\n');
  const again = await nest.run(['build', '-t', 'killed', '-f', file, context]);
  t.is(again.exitCode, 0, again.stderr);
  t.regex(again.stderr, /\[2\/3\] RUN echo one > \/1\n {2}cached\n/);
  t.is(await nest.ok('run', '--rm', 'killed', 'cat', '/1', '/2'), 'one\ntwo');
  await until('the end of the guest of the build', async () => buildGuests(await nest.json('vm', 'list')).length === 0);
  t.deepEqual(
    (await readdir(nest.paths.imageStore)).filter((name) => name.startsWith('staging')),
    [],
  );
});

test.serial("Docker's clients build, too", async (t) => {
  const tar = pack();
  tar.entry({ name: 'Dockerfile' }, 'FROM localhost/busybox:build\nARG A\nRUN echo "$A" > /a\nCMD ["cat", "/a"]\n');
  tar.finalize();
  const reply = await engine().buildImage(Readable.from(tar), {
    t: 'by-docker',
    buildargs: { A: 'value' },
  });
  const said = await text(reply);
  t.regex(said, /Step 1\/4 : FROM localhost\/busybox:build/);
  t.regex(said, /Successfully tagged by-docker:latest/);
  t.is(await nest.ok('run', '--rm', 'by-docker'), 'value');
});

test.serial('commit makes an image of a container', async (t) => {
  await nest.ok('run', '--name', 'worker', 'localhost/busybox:build', 'sh', '-c', 'echo made > /made; rm /etc/group');
  await nest.ok('commit', '-m', 'by hand', '-c', 'CMD ["cat", "/made"]', 'worker', 'localhost/committed:1');
  t.is(await nest.ok('run', '--rm', 'localhost/committed:1'), 'made');
  const { RootFS } = await engine().getImage('localhost/committed:1').inspect();
  t.is(RootFS.Layers?.length, 2);
});

const engine = () => new Docker({ socketPath: nest.paths.engineSocket, host: '', protocol: 'http' });

function buildGuests(guests: unknown): string[] {
  return (guests as { zone: string }[]).map(({ zone }) => zone).filter((zone) => zone.startsWith('nest-build-'));
}
