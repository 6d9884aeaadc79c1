import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import test from 'ava';
import * as v from 'valibot';
import { makeAgentPart } from '../../src/guest-image/agent-part.ts';
import { buildGuestImage, findGuestImage, type BootFiles } from '../../src/guest-image/guest-image.ts';
import { nestPaths, type Paths } from '../../src/paths.ts';
import { silent } from '../../src/progress.ts';
import { testGuestImage } from '../helpers/guest-image.ts';

let paths: Paths;
let boot: BootFiles;
let folder: string;

test.before(async () => {
  ({ paths } = await testGuestImage());
  boot = await findGuestImage(paths, 'debian-12');
  folder = await mkdtemp(path.join(tmpdir(), 'nest-guest-image-'));
});

test.after.always(() => rm(folder, { recursive: true, force: true }));

test('kernel, initrd and root are at most 64 MB together', async (t) => {
  const { size } = await buildGuestImage(paths, 'debian-12', { progress: silent });
  t.true(size <= 64_000_000, `${size} bytes`);
});

test('a build with nothing to do builds nothing', async (t) => {
  t.false((await buildGuestImage(paths, 'debian-12', { progress: silent })).built);
});

test('the same inputs give the same bytes, whatever the umask', async (t) => {
  const again = nestPaths({ NEST_DATA_DIR: path.join(folder, 'again') });
  await mkdir(again.data);
  await symlink(paths.cache, again.cache);
  const umask = process.umask(0o077);
  t.teardown(() => process.umask(umask));
  const { digest, built } = await buildGuestImage(again, 'debian-12', { progress: silent });
  t.true(built);
  t.is(digest, boot.digest);
  t.deepEqual(await hashes(path.join(again.guestImages, digest)), await hashes(path.join(paths.guestImages, digest)));
  const left = (await readdir(again.guestImages)).toSorted();
  t.deepEqual(left, [digest, 'current-debian-12'].toSorted(), 'nothing is left of the building');
});

test('a guest starts with all that the agent needs, and powers off with a clean disk', async (t) => {
  const agent = await fixtureAgent();
  const disk = await emptyDisk('guest.raw');
  const console = await bootGuest(agent, disk);
  const line = /^fixture: (.*)$/m.exec(console)?.[1];
  if (line === undefined) return t.fail(`the agent did not report; console:\n${console}`);
  const report = v.parse(Report, JSON.parse(line));

  t.regex(report.node, /^v24\./);
  t.regex(report.kernel, /-cloud-amd64$/);
  t.deepEqual([report.hostname, report.machineId], ['(none)', null], 'names come with the identity');
  t.true(report.seccompVersion >= 5);
  t.regex(report.ruleset, /masquerade/);
  t.deepEqual(report.ports, ['nest.agent.0']);
  for (const link of ['lo', 'veth0', 'veth1', 'bridge0']) t.true(report.links.includes(link), link);
  for (const mount of MOUNTS) t.true(report.mounts.includes(mount), mount);
  t.deepEqual(report.controllers.toSorted(), ['cpu', 'cpuset', 'io', 'memory', 'pids']);
  t.true(console.includes('fixture zygote'));

  const { stdout } = await promisify(execFile)('dumpe2fs', ['-h', disk]);
  t.notRegex(stdout, /needs_recovery/);
});

test('a guest that cannot start says why and ends', async (t) => {
  const none = path.join(folder, 'none');
  await writeFile(none, Buffer.alloc(4096));
  t.regex(await bootGuest(none, null), /nest: the guest cannot start: mount of the agent's disk \(vdb\) failed/);
});

test('a guest that only has to prove its accelerator says so and ends', async (t) => {
  t.regex(await bootGuest(await fixtureAgent(), null, 'nest.proof=1'), /^nest: proof$/m);
});

/** Boots until QEMU ends, without libvirt, and returns the console. */
async function bootGuest(agent: string, disk: string | null, parameter = ''): Promise<string> {
  const readOnly = (file: string) => ['-drive', `file=${file},format=raw,if=virtio,readonly=on`];
  const child = spawn(
    'qemu-system-x86_64',
    [
      ...['-accel', 'tcg', '-machine', 'q35', '-cpu', 'max', '-m', '512', '-smp', '2', '-no-reboot'],
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio'],
      ...['-kernel', boot.kernel, '-initrd', boot.initrd, '-append', `${boot.commandLine} ${parameter}`],
      ...[...readOnly(boot.root), ...readOnly(agent)],
      ...(disk === null ? [] : ['-drive', `file=${disk},format=raw,if=virtio`]),
      ...['-device', 'virtio-scsi-pci', '-device', 'virtio-serial-pci', '-chardev', 'null,id=agent'],
      ...['-device', 'virtserialport,chardev=agent,name=nest.agent.0'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    return (await text(child.stdout)).replaceAll('\r', '');
  } finally {
    child.kill('SIGKILL');
  }
}

async function fixtureAgent(): Promise<string> {
  const fixtures = path.join(import.meta.dirname, '../fixtures/guest-image');
  const sources = { agent: path.join(fixtures, 'agent.ts'), zygote: path.join(fixtures, 'zygote.ts') };
  const { file } = await makeAgentPart(nestPaths({ NEST_DATA_DIR: path.join(folder, 'agent') }), sources);
  return file;
}

async function emptyDisk(name: string): Promise<string> {
  const disk = path.join(folder, name);
  await using handle = await open(disk, 'w');
  await handle.truncate(64 * 1024 * 1024);
  await promisify(execFile)('mkfs.ext4', ['-q', disk]);
  return disk;
}

async function hashes(image: string): Promise<Record<string, string>> {
  const hash = async (file: string) =>
    createHash('sha256')
      .update(await readFile(path.join(image, file)))
      .digest('hex');
  const files = await readdir(image);
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file, await hash(file)] as const)));
}

const Report = v.object({
  node: v.string(),
  kernel: v.string(),
  hostname: v.string(),
  machineId: v.nullable(v.string()),
  seccompVersion: v.number(),
  ruleset: v.string(),
  ports: v.array(v.string()),
  links: v.array(v.string()),
  mounts: v.array(v.string()),
  controllers: v.array(v.string()),
});

const MOUNTS = [
  '/dev/vda / squashfs',
  '/dev/vdb /opt/nest squashfs',
  '/dev/vdc /var/lib/nest ext4',
  'cgroup2 /sys/fs/cgroup cgroup2',
  'tmpfs /run tmpfs',
  'tmpfs /tmp tmpfs',
  'tmpfs /dev/shm tmpfs',
  'devpts /dev/pts devpts',
];
