import test from 'ava';
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { busyboxImage } from '../helpers/images.ts';
import { openNest, type Nest } from '../helpers/nest.ts';
import { until } from '../helpers/until.ts';

const IMAGE = 'localhost/busybox:test';

interface Container {
  name: string;
  state: string;
  status: string;
  guest: string;
}

let nest: Nest;

test.before(async () => {
  nest = await openNest();
  await nest.ok('image', 'load', await busyboxImage(path.join(nest.paths.data, 'fixture'), { name: IMAGE }));
});

test.after.always(() => nest.close());

for (const step of ['Creating two-one-1', 'Wait for agent of guest two-1', 'Starting two-one-1']) {
  test.serial(
    `a deploy whose engine was killed at "${step}" completes when run again, and nothing is doubled`,
    async (t) => {
      const folder = await twoServices();
      const engine = await enginePid();
      const deploy = nest.start(['deploy', folder]);
      const ended = once(deploy, 'exit');
      await untilSaid(deploy, `[STARTED] ${step}`);
      process.kill(engine, 'SIGKILL');
      const [exitCode] = (await ended) as [number];
      t.not(exitCode, 0);

      await nest.ok('deploy', folder);
      const containers = (await nest.json('ps', '-a')) as Container[];
      t.deepEqual(containers.map(({ name, state }) => `${name} ${state}`).sort(), [
        'two-one-1 running',
        'two-two-1 running',
      ]);
      t.is(((await nest.json('vm', 'list')) as unknown[]).length, 1);
      t.is((await readdir(nest.paths.guests)).length, 1);

      await nest.ok('down', 'two');
      t.deepEqual(await nest.json('ps', '-a'), []);
      t.deepEqual(await readdir(nest.paths.guests), []);
    },
  );
}

test.serial('containers go on while the engine is away, and the next engine finds them', async (t) => {
  await nest.ok(
    'run',
    '-d',
    '--name',
    'steady',
    IMAGE,
    'sh',
    '-c',
    'i=0; while :; do echo $i; i=$((i+1)); sleep 0.2; done',
  );
  process.kill(await enginePid(), 'SIGKILL');
  await delay(1000);
  const [steady] = (await nest.json('ps')) as Container[];
  t.is(steady?.state, 'running');
  t.true(consecutive(await nest.ok('logs', 'steady')));
  await nest.ok('rm', '-f', 'steady');
});

test.serial('an engine that lost its database adopts guests and containers', async (t) => {
  await nest.ok('run', '-d', '--name', 'kept', IMAGE, 'sleep', '1000');
  process.kill(await enginePid(), 'SIGKILL');
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(nest.paths.stateDatabase + suffix, { force: true });
  const [kept] = (await nest.json('ps')) as Container[];
  t.is(kept?.name, 'kept');
  t.is(kept?.state, 'running');
  await nest.ok('rm', '-f', 'kept');
});

test.serial('containers go on while the agent is restarted; ps, logs -f and the exit code work again', async (t) => {
  await nest.ok(
    'run',
    '-d',
    '--name',
    'ticker',
    IMAGE,
    'sh',
    '-c',
    'i=0; while [ $i -lt 60 ]; do echo $i; i=$((i+1)); sleep 0.1; done; exit 5',
  );
  const guest = ((await nest.json('ps')) as Container[])[0]?.guest ?? '';
  await nest.ok('vm', 'restart-agent', guest);
  const follower = nest.start(['logs', '-f', 'ticker']);
  let text = '';
  follower.stdout?.on('data', (data: Buffer) => (text += data.toString()));
  await once(follower, 'close');
  t.is(text, Array.from({ length: 60 }, (_, i) => `${i}\n`).join(''));
  const ticker = ((await nest.json('ps', '-a')) as Container[])[0];
  t.regex(ticker?.status ?? '', /^Exited \(5\)/);
  await nest.ok('rm', 'ticker');
});

test.serial('ps tells within two seconds that QEMU was killed', async (t) => {
  await nest.ok('run', '-d', '--name', 'lost', IMAGE, 'sleep', '1000');
  const guest = ((await nest.json('ps')) as Container[])[0]?.guest ?? '';
  const domain = ((await nest.json('vm', 'show', guest)) as { domain: string }).domain;
  process.kill(qemuPid(domain), 'SIGKILL');
  await until(
    'ps to say that the guest stopped',
    async () => ((await nest.json('ps', '-a')) as Container[])[0]?.state !== 'running',
    2,
  );
  t.regex(await nest.ok('ps', '-a'), /lost.*guest .* stopped/i);
  await nest.ok('rm', 'lost');
  await until(
    'the stopped guest to be removed',
    async () => ((await nest.json('vm', 'list')) as unknown[]).length === 0,
  );
});

/** A project of two services, in its own folder. */
async function twoServices(): Promise<string> {
  const folder = path.join(nest.paths.data, 'projects', 'two');
  await mkdir(folder, { recursive: true });
  const service = (name: string) =>
    `  ${name}:\n    image: ${IMAGE}\n    command: sleep 1000\n    stop_grace_period: 1s\n`;
  await writeFile(path.join(folder, 'compose.yaml'), `services:\n${service('one')}${service('two')}`);
  return folder;
}

/** Progress goes to stderr where there is no terminal. */
async function untilSaid({ stderr }: ChildProcess, text: string): Promise<void> {
  if (stderr === null) throw new Error('the command has no stderr');
  const said: string[] = [];
  for await (const line of createInterface(stderr)) {
    said.push(line);
    if (line.includes(text)) return;
  }
  throw new Error(`wait for \`${text}\`: the command ended, and said:\n${said.join('\n')}`);
}

async function enginePid(): Promise<number> {
  return ((await nest.json('engine', 'status')) as { pid: number }).pid;
}

function qemuPid(domain: string): number {
  const output = execFileSync('pgrep', ['-f', `qemu-system-x86_64 .*guest=${domain},`], { encoding: 'utf8' });
  return Number(output.trim().split('\n')[0]);
}

function consecutive(log: string): boolean {
  return log.split('\n').every((line, index) => line === String(index));
}
