import path from 'node:path';
import test from 'ava';
import { busyboxImage, type BusyboxImage } from '../helpers/images.ts';
import { openNest, type Nest } from '../helpers/nest.ts';

/** What a container can do and see, asserted from inside. All tests of this file share one guest. */
const ZONE = ['--zone', 'zygote'];
const IMAGE = 'localhost/busybox:zygote';

let nest: Nest;

test.before(async () => {
  nest = await openNest();
  await load(IMAGE, {});
  await nest.ok('run', '--rm', ...ZONE, IMAGE, 'true'); // boots the guest
});

test.after.always(() => nest.close());

test('root has fourteen capabilities, none of them inheritable, and can gain no other', async (t) => {
  const status = await inside('cat', '/proc/self/status');
  for (const set of ['CapPrm', 'CapEff', 'CapBnd']) t.regex(status, new RegExp(`^${set}:\t00000000a80425fb$`, 'm'));
  for (const set of ['CapInh', 'CapAmb']) t.regex(status, new RegExp(`^${set}:\t0000000000000000$`, 'm'));
  t.regex(status, /^NoNewPrivs:\t1$/m);
  t.regex(status, /^SigIgn:\t0000000000000000$/m);
  t.regex(status, /^SigBlk:\t0000000000000000$/m);
});

test('another user has no capabilities and may write to its own output', async (t) => {
  const show = 'cat /proc/self/status > /dev/stdout';
  const status = await nest.ok('run', '--rm', '-u', 'nobody', ...ZONE, IMAGE, 'sh', '-c', show);
  t.regex(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
  t.regex(status, /^CapEff:\t0000000000000000$/m);
  t.regex(status, /^CapBnd:\t00000000a80425fb$/m);
});

test('only the standard streams are open', async (t) => {
  // 3 is the folder that `ls` itself reads.
  t.deepEqual((await inside('ls', '/proc/self/fd')).split('\n'), ['0', '1', '2', '3']);
});

test('what tells about the kernel is hidden, and its knobs do not turn', async (t) => {
  const masked = await inside(
    'sh',
    '-c',
    'cat /proc/kcore /proc/keys /proc/timer_list; ls -A /sys/firmware /proc/acpi',
  );
  t.is(masked, '/proc/acpi:\n\n/sys/firmware:');
  for (const file of ['/proc/sys/kernel/core_pattern', '/proc/sys/kernel/modprobe', '/proc/sysrq-trigger']) {
    const outcome = await nest.run(['run', '--rm', ...ZONE, IMAGE, 'sh', '-c', `echo x > ${file}`]);
    t.not(outcome.exitCode, 0, file);
    t.regex(outcome.stderr, /Read-only file system/, file);
  }
  for (const folder of ['/sys/kernel', '/sys/fs/cgroup/new'])
    t.not((await nest.run(['run', '--rm', ...ZONE, IMAGE, 'mkdir', '-p', `${folder}/x`])).exitCode, 0, folder);
});

test('a further process has the rights, the namespaces and the cgroup of the container', async (t) => {
  await nest.ok('run', '-d', '--name', 'home', ...ZONE, IMAGE, 'sleep', '1000');
  t.teardown(() => nest.run(['rm', '-f', 'home']));
  const look =
    'cat /proc/self/cgroup; grep -E "^(Cap|NoNew)" /proc/self/status; for n in mnt uts ipc net pid cgroup; do';
  const compare = `${look} [ "$(readlink /proc/1/ns/$n)" = "$(readlink /proc/self/ns/$n)" ] || echo other $n; done`;
  const output = await nest.ok('exec', 'home', 'sh', '-c', compare);
  t.regex(output, /^0::\/$/m);
  t.regex(output, /^CapEff:\t00000000a80425fb$/m);
  t.regex(output, /^NoNewPrivs:\t1$/m);
  t.notRegex(output, /other/);
});

test('a working folder that leads to an open file of the runtime is refused: CVE-2024-21626', async (t) => {
  for (const fd of [3, 4, 7, 8, 9, 10, 12, 16, 24]) {
    const outcome = await nest.run(['run', '--rm', '-w', `/proc/self/fd/${fd}`, ...ZONE, IMAGE, 'ls', '..']);
    t.not(outcome.exitCode, 0, `descriptor ${fd}: ${outcome.stdout}`);
    t.is(outcome.stdout, '');
  }
});

test('an image whose /proc, /sys or /dev is a link is refused: CVE-2019-19921', async (t) => {
  for (const name of ['proc', 'sys', 'dev']) {
    const layers = [[{ name: `.wh.${name}` }], [{ name, type: 'symlink' as const, linkname: 'tmp' }]];
    const image = await load(`localhost/busybox:link-${name}`, { layers });
    const outcome = await nest.run(['run', '--rm', ...ZONE, image, 'true']);
    t.not(outcome.exitCode, 0, name);
    t.regex(outcome.stderr, new RegExp(`open \`${name}\`: .*symbolic links`), outcome.stderr);
  }
});

const inside = (...command: string[]) => nest.ok('run', '--rm', ...ZONE, IMAGE, ...command);

async function load(name: string, options: BusyboxImage): Promise<string> {
  const folder = path.join(nest.paths.data, 'fixture', name.replaceAll(/[/:]/g, '-'));
  await nest.ok('image', 'load', await busyboxImage(folder, { ...options, name }));
  return name;
}
