import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { busyboxImage } from '../helpers/images.ts';
import { qemusWith } from '../helpers/libvirt.ts';
import { openNest, type Nest } from '../helpers/nest.ts';
import { randomNumbers } from '../helpers/random.ts';
import { until } from '../helpers/until.ts';

/**
 * SIGKILL of the client, the engine with all it has started, and the build's guest, at random moments of a build:
 * NEST_TEST_SEED repeats them, NEST_TEST_POWER_CUTS is how many.
 */
const SEED = Number(process.env['NEST_TEST_SEED'] ?? randomInt(2 ** 31));
const CUTS = Number(process.env['NEST_TEST_POWER_CUTS'] ?? 20);

/** The same input makes the same image: what was whole before a cut is told from what was not by the digest. */
const DOCKERFILE = `FROM localhost/busybox:cut AS builder
COPY large /large
RUN seq 1 300000 > /numbers && rm -r /tmp
RUN --mount=type=secret,id=word cat /large /numbers | sha256sum > /sum
FROM localhost/busybox:cut
COPY --from=builder /numbers /sum /data/
RUN chmod 600 /data/sum
CMD ["cat", "/data/sum"]
`;

const random = randomNumbers(SEED);
let nest: Nest;
let context: string;
/** Id of the image. */
let first: string;
/** Of a whole build. */
let milliseconds: number;

test.before(async () => {
  nest = await openNest();
  context = path.join(nest.paths.data, 'context');
  await mkdir(context);
  await writeFile(path.join(context, 'Dockerfile'), DOCKERFILE);
  await writeFile(path.join(context, 'large'), Buffer.alloc(8_000_000, 'some text, '));
  await writeFile(path.join(nest.paths.data, 'word'), 'secret');
  const base = await busyboxImage(path.join(nest.paths.data, 'base'), { name: 'localhost/busybox:cut' });
  await nest.ok('image', 'load', base);
});

test.after.always(() => nest.close());

test.serial('a build that makes the template of its guest', async (t) => {
  first = await buildOnce();
  t.is(await nest.ok('run', '--rm', 'localhost/cut', 'wc', '-l', '/data/numbers'), '300000 /data/numbers');
});

test.serial('the same build makes the same image', async (t) => {
  await forget();
  const start = performance.now();
  t.is(await buildOnce(), first);
  milliseconds = performance.now() - start;
});

for (let cut = 1; cut <= CUTS; cut++)
  test.serial(`power cut ${cut} in a build: the store is whole, and the same build makes the same image`, async (t) => {
    await forget();
    const at = random() * milliseconds;
    t.log(`NEST_TEST_SEED=${SEED}, after ${Math.round(at)} of ${Math.round(milliseconds)} ms`);
    const { pid } = (await nest.json('engine', 'status')) as { pid: number };
    const client = nest.start(build());
    const closed = once(client, 'close');
    await Promise.race([sleep(at), closed]);
    // A process group of its own: skopeo and sqfstar end with it.
    process.kill(-pid, 'SIGKILL');
    for (const qemu of await qemusWith(`${nest.paths.guests}/`)) process.kill(qemu, 'SIGKILL');
    client.kill('SIGKILL');
    await closed;
    await nest.ok('engine', 'start');
    t.deepEqual(((await nest.json('system', 'check')) as { problems: unknown[] }).problems, []);
    t.deepEqual(await readdir(nest.paths.buildFiles).catch(() => []), []);
    t.is(await buildOnce(), first);
    t.deepEqual(((await nest.json('system', 'check')) as { problems: unknown[] }).problems, []);
    await until('the end of all guests', async () => (await readdir(nest.paths.guests)).length === 0);
  });

const build = (): string[] => [
  ...['build', '-t', 'localhost/cut', '--build-arg', 'SOURCE_DATE_EPOCH=1700000000'],
  ...['--secret', `id=word,src=${path.join(nest.paths.data, 'word')}`, context],
];

const buildOnce = async () => ((await nest.json(...build())) as { id: string }).id;

/** No step of earlier builds is left. */
async function forget(): Promise<void> {
  await nest.ok('image', 'rm', 'localhost/cut');
  await nest.ok('builder', 'prune');
}
