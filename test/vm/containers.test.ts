import test from 'ava';
import { readdir, readFile } from 'node:fs/promises';
import { release } from 'node:os';
import path from 'node:path';
import { busyboxImage } from '../helpers/images.ts';
import { fetchText } from '../helpers/http.ts';
import { openNest, type Nest } from '../helpers/nest.ts';

/** All tests of this file share one zone, and therefore one guest. */
const ZONE = ['--zone', 'tests'];
const IMAGE = 'localhost/busybox:test';

let nest: Nest;

test.before(async () => {
  nest = await openNest();
  await nest.ok('image', 'load', await busyboxImage(path.join(nest.paths.data, 'fixture'), { name: IMAGE }));
  await nest.ok('run', '--rm', ...ZONE, IMAGE, 'true'); // boots the guest
});

test.after.always(() => nest.close());

test('the command is PID 1 of its own world', async (t) => {
  const script = 'echo $$; hostname; ls -d /proc/[0-9]* | wc -l';
  const [pid, hostname, processes] = (
    await nest.ok('run', '--rm', ...ZONE, '--hostname', 'own-name', IMAGE, 'sh', '-c', script)
  ).split('\n');
  t.is(pid, '1');
  t.is(hostname, 'own-name');
  t.true(Number(processes) <= 4, `sees ${processes} processes: itself and what the pipe of this script needs`);
});

test('the hostname is the first twelve digits of the container id', async (t) => {
  const id = await nest.ok('run', '-d', ...ZONE, IMAGE, 'sh', '-c', 'hostname');
  t.is(await nest.ok('logs', '-f', id), id.slice(0, 12));
  await nest.ok('rm', id);
});

test('the root is an overlay', async (t) => {
  const mounts = await nest.ok('run', '--rm', ...ZONE, IMAGE, 'cat', '/proc/mounts');
  t.regex(mounts, /^overlay \/ overlay rw,/m);
});

test("the kernel is the guest's, not the host's", async (t) => {
  const kernel = await nest.ok('run', '--rm', ...ZONE, IMAGE, 'uname', '-r');
  const bootId = await nest.ok('run', '--rm', ...ZONE, IMAGE, 'cat', '/proc/sys/kernel/random/boot_id');
  const [guest] = (await nest.json('vm', 'list')) as { kernel: string; bootId: string }[];
  t.like(guest, { kernel, bootId });
  t.not(kernel, release());
  t.not(bootId, (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim());
});

test('the exit code of the command is that of `nest run`', async (t) => {
  t.is((await nest.run(['run', '--rm', ...ZONE, IMAGE, 'sh', '-c', 'exit 7'])).exitCode, 7);
  t.is((await nest.run(['run', '--rm', ...ZONE, IMAGE, 'no-such-command'])).exitCode, 127);
  t.is((await nest.run(['run', '--rm', ...ZONE, IMAGE, '/etc'])).exitCode, 126);
});

test('output and error output stay apart, and no line is lost', async (t) => {
  const script = 'i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; echo done >&2';
  const outcome = await nest.run(['run', '--rm', ...ZONE, IMAGE, 'sh', '-c', script]);
  t.is(outcome.stdout, Array.from({ length: 2000 }, (_, i) => `line ${i}\n`).join(''));
  t.is(outcome.stderr, 'done\n');
});

test('standard input reaches the command with -i', async (t) => {
  const outcome = await nest.run(['run', '--rm', '-i', ...ZONE, IMAGE, 'tr', 'a-z', 'A-Z'], 'hello\n');
  t.is(outcome.stdout, 'HELLO\n');
});

test('two containers of one guest both listen on port 80', async (t) => {
  const serve = (name: string) =>
    nest.ok(
      'run',
      '-d',
      '--name',
      name,
      '-p',
      '0:80',
      ...ZONE,
      IMAGE,
      'sh',
      '-c',
      `mkdir /www; echo I am ${name} > /www/index.html; exec httpd -f -p 80 -h /www`,
    );
  await serve('first');
  await serve('second');
  const containers = (await nest.json('ps')) as { name: string; guest: string; ports: string[] }[];
  const [first, second] = ['first', 'second'].map((name) => containers.find((container) => container.name === name));
  t.is(first?.guest, second?.guest);
  t.is(await fetchText(first?.ports[0]), 'I am first\n');
  t.is(await fetchText(second?.ports[0]), 'I am second\n');
  await nest.ok('rm', '-f', 'first', 'second');
});

test('a container that takes more than its memory is killed, and ps says OOM', async (t) => {
  const outcome = await nest.run([
    'run',
    '--name',
    'greedy',
    '-m',
    '32m',
    ...ZONE,
    IMAGE,
    'sh',
    '-c',
    'exec tail /dev/zero',
  ]);
  t.is(outcome.exitCode, 137);
  t.regex(await nest.ok('ps', '-a'), /greedy.*Exited \(137\).*OOM/);
  await nest.ok('rm', 'greedy');
});

test('half a core is half a core', async (t) => {
  await nest.ok('run', '-d', '--name', 'spinner', '--cpus', '0.5', ...ZONE, IMAGE, 'sh', '-c', 'while :; do :; done');
  const sample = async () => {
    const text = await nest.ok('exec', 'spinner', 'sh', '-c', 'cat /sys/fs/cgroup/cpu.stat; cat /proc/uptime');
    const value = (key: string) => Number(new RegExp(`^${key} (\\d+)`, 'm').exec(text)?.[1]);
    return {
      used: value('usage_usec'),
      throttled: value('nr_throttled'),
      uptime: Number(/^(\d+\.\d+) /m.exec(text)?.[1]) * 1e6,
    };
  };
  const before = await sample();
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const after = await sample();
  const cores = (after.used - before.used) / (after.uptime - before.uptime);
  t.log(`used ${cores.toFixed(3)} cores, throttled ${after.throttled - before.throttled} times`);
  t.true(after.throttled > before.throttled);
  t.true(cores > 0.4 && cores < 0.55, `used ${cores.toFixed(3)} cores`);
  await nest.ok('rm', '-f', 'spinner');
});

test('twenty containers share one layer, and none sees what another wrote', async (t) => {
  const names = Array.from({ length: 20 }, (_, i) => `many-${i}`);
  for (const name of names) await nest.ok('run', '-d', '--name', name, ...ZONE, IMAGE, 'sleep', '1000');
  const containers = (await nest.json('ps')) as { name: string; guest: string; pid: number }[];
  t.is(
    new Set(containers.filter((container) => names.includes(container.name)).map((container) => container.guest)).size,
    1,
  );

  const original = await nest.ok('exec', 'many-0', 'cat', '/etc/passwd');
  await nest.ok('exec', 'many-0', 'sh', '-c', 'echo changed > /etc/passwd');
  t.is(await nest.ok('exec', 'many-0', 'cat', '/etc/passwd'), 'changed');
  for (const name of ['many-1', 'many-19']) t.is(await nest.ok('exec', name, 'cat', '/etc/passwd'), original);

  const guest = (await nest.json('vm', 'show', containers[0]?.guest ?? '')) as { layers: string[] };
  t.is(guest.layers.length, 1, 'mounted once in the guest');
  t.is((await readdir(nest.paths.layers)).length, 1, 'once on the host');
  await nest.ok('rm', '-f', ...names);
});

test('a running container is removed with -f only', async (t) => {
  await nest.ok('run', '-d', '--name', 'busy', ...ZONE, IMAGE, 'sleep', '1000');
  const refused = await nest.run(['rm', 'busy']);
  t.is(refused.exitCode, 1);
  t.regex(refused.stderr, /container is running/);
  t.is(((await nest.json('ps', '--filter', 'name=busy')) as { state: string }[])[0]?.state, 'running');
  await nest.ok('rm', '-f', 'busy');
});

test('stop ends a container with its signal, and with SIGKILL after the grace period', async (t) => {
  await nest.ok(
    'run',
    '-d',
    '--name',
    'polite',
    ...ZONE,
    IMAGE,
    'sh',
    '-c',
    'trap "exit 3" TERM; while :; do sleep 0.1; done',
  );
  await nest.ok('run', '-d', '--name', 'deaf', ...ZONE, IMAGE, 'sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done');
  await nest.ok('stop', 'polite');
  await nest.ok('stop', '-t', '1', 'deaf');
  const statuses = (await nest.json('ps', '-a')) as { name: string; status: string }[];
  const status = (name: string) => statuses.find((container) => container.name === name)?.status ?? '';
  t.regex(status('polite'), /^Exited \(3\)/);
  t.regex(status('deaf'), /^Exited \(137\)/);
  await nest.ok('stop', 'polite'); // stopping a stopped container succeeds
  await nest.ok('rm', 'polite', 'deaf');
});
