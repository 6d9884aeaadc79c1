import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import test, { type ExecutionContext } from 'ava';
import type { ContainerSpec } from '../../guest-agent/api.ts';
import { MASKED_PATHS, READONLY_PATHS } from '../../guest-agent/security/defaults.ts';
import { type BootFiles, findGuestImage } from '../../src/guest-image/guest-image.ts';
import { type AgentGuest, openAgentGuest } from '../helpers/agent-guest.ts';
import { testGuestImage } from '../helpers/guest-image.ts';
import { qemuPid } from '../helpers/libvirt.ts';

/**
 * What a trusted runtime's defaults are, and each way that containers got out of one: SPECIFICATION.md. All in one guest. The
 * canary is a file of another container: in the guest, and outside of every other root.
 */
let guest: AgentGuest;
let boot: BootFiles;
let keeper: ContainerSpec;
let digests: string[];

const NODE_LIBRARIES = [
  '/lib64/ld-linux-x86-64.so.2',
  ...['c.so.6', 'dl.so.2', 'gcc_s.so.1', 'm.so.6', 'pthread.so.0', 'stdc++.so.6'].map(
    (name) => `/lib/x86_64-linux-gnu/lib${name}`,
  ),
];

const CANARY = randomBytes(16).toString('hex');

test.before(async () => {
  boot = await findGuestImage((await testGuestImage()).paths, 'debian-12');
  guest = await openAgentGuest('security');
  keeper = guest.shell(`echo ${CANARY} >/canary; exec sleep 100000`);
  await guest.start(keeper);
  digests = await sharedDigests();
});

test.after.always(() => guest.close());

// Agent, zygote, node and the layer are as they were, and so is what another container keeps.
test.afterEach(async (t) => {
  t.is((await guest.exec(keeper.id, ['cat', '/canary'])).out, `${CANARY}\n`);
  t.deepEqual(await sharedDigests(), digests);
});

test.serial(
  'defaults: fourteen capabilities, none inheritable (CVE-2022-24769), no_new_privs, a seccomp filter',
  async (t) => {
    const out = await attempt(t, 'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status');
    const [some, none] = ['00000000a80425fb', '0000000000000000'];
    t.is(
      out,
      `CapInh:\t${none}\nCapPrm:\t${some}\nCapEff:\t${some}\nCapBnd:\t${some}\nCapAmb:\t${none}\nNoNewPrivs:\t1\nSeccomp:\t2\n`,
    );
  },
);

test.serial(
  'defaults: no signal is blocked or ignored, and another user has no capability and may write to its output',
  async (t) => {
    // A shell ignores signals of its own.
    const out = await attempt(t, '', { user: 'web', argv: ['cat', '/proc/self/status'] });
    for (const line of [/^SigIgn:\t0{16}$/m, /^SigBlk:\t0{16}$/m, /^Uid:\t33\t33\t33\t33$/m, /^CapEff:\t0{16}$/m])
      t.regex(out, line);
    t.regex(out, /^CapBnd:\t00000000a80425fb$/m);
    t.is(await attempt(t, 'echo own >/dev/stdout', { user: 'web' }), 'own\n');
  },
);

test.serial(
  'a further process has the rights, the namespaces and the cgroup of the container, and no other',
  async (t) => {
    const home = guest.shell('exec sleep 100000');
    await guest.start(home);
    const look = 'cat /proc/self/cgroup; grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status';
    const compare =
      'for n in mnt uts ipc net pid cgroup; do [ $(readlink /proc/1/ns/$n) = $(readlink /proc/self/ns/$n) ] || echo other $n; done';
    const { out } = await guest.exec(home.id, ['sh', '-c', `${look}; ${compare}`]);
    t.is(out, '0::/\nCapEff:\t00000000a80425fb\nNoNewPrivs:\t1\nSeccomp:\t2\n');
    await remove(home);
  },
);

test.serial('defaults: masked paths show nothing, and read-only ones are', async (t) => {
  const hidden = `for p in ${MASKED_PATHS.join(' ')}; do [ -d $p ] && ls -A $p || cat $p; done 2>&1 | grep -v "No such file"; echo looked`;
  t.is(await attempt(t, hidden), 'looked\n');
  const out = await attempt(
    t,
    'while read a b c d at options rest; do echo $at ${options%%,*}; done </proc/self/mountinfo',
  );
  const mounts = new Map(out.split('\n').map((line) => line.split(' ') as [string, string]));
  const present = READONLY_PATHS.filter((folder) => mounts.has(folder));
  t.true(present.includes('/proc/sys') && present.includes('/proc/sysrq-trigger'));
  for (const folder of [...present, '/sys', '/sys/fs/cgroup']) t.is(mounts.get(folder), 'ro', folder);
});

test.serial('defaults: /dev has the devices that every program may use, and no other', async (t) => {
  const names = 'core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero';
  t.is(await attempt(t, 'echo $(ls /dev)'), `${names}\n`);
  const terminal = await attempt(t, 'echo $(ls /dev); tty', { terminal: { columns: 80, rows: 24 } });
  t.is(terminal, `console ${names}\r\n/dev/pts/0\r\n`);
});

test.serial('defaults: a disk can be named and not opened', async (t) => {
  const out = await attempt(t, 'mknod /disk b 8 0; head -c 1 /disk 2>&1; echo; ls -l /disk | cut -c1');
  t.regex(out, /Operation not permitted\n\nb\n$/);
});

test.serial('defaults: namespaces and mounts are refused: CVE-2022-0492, CVE-2022-0185, CVE-2023-0386', async (t) => {
  for (const flag of ['-U', '-m', '-n', '-p'])
    t.regex(await attempt(t, `unshare ${flag} true 2>&1; echo $?`), /permitted.*\n[1-9]\d*\n$/s, flag);
  const mounts = ['-t cgroup cgroup', '-t cgroup2 cgroup2', '-t overlay -o lowerdir=/bin:/etc overlay', '-t fuse fuse'];
  for (const mount of mounts)
    t.regex(
      await attempt(t, `mkdir /at; mount ${mount} /at 2>&1; echo $?`),
      /(denied|permitted).*\n[1-9]\d*\n$/s,
      mount,
    );
});

test.serial('defaults: the knobs of the kernel do not turn', async (t) => {
  const knobs = [
    '/proc/sys/kernel/core_pattern',
    '/proc/sys/kernel/modprobe',
    '/proc/sys/kernel/hotplug',
    '/proc/sys/fs/binfmt_misc/register',
    '/proc/sysrq-trigger',
    '/sys/kernel/uevent_helper',
    '/sys/kernel/mm/transparent_hugepage/enabled',
  ];
  const out = await attempt(t, `for k in ${knobs.join(' ')}; do (echo x >$k) 2>/dev/null && echo $k; done; echo done`);
  t.is(out, 'done\n');
});

test.serial(
  'a program that is /proc/self/exe finds nothing of the runtime that it could change: CVE-2019-5736',
  async (t) => {
    const evil = await guest.addLayer(async (tree) => {
      await mkdir(path.join(tree, 'evil'));
      await symlink('/proc/self/exe', path.join(tree, 'evil/run'));
      // The runtime is Node, which finds here what it is linked with.
      for (const library of NODE_LIBRARIES) await cp(library, path.join(tree, library), { dereference: true });
    });
    const layers = [guest.layer.diffId, evil];
    const write = 'try { fs.appendFileSync("/proc/self/exe", "x") } catch ({ code }) { console.log(code) }';
    t.regex(await attempt(t, '', { layers, argv: ['/evil/run', '-e', write] }), /^(EROFS|ETXTBSY)\n$/);
    // Whoever comes in is tried, from before its first instruction on.
    const watch = 'while :; do for p in /proc/[0-9]*; do (echo x >>$p/exe) 2>/dev/null && echo wrote $p; done; done';
    const victim = guest.shell(watch, { layers });
    await guest.start(victim);
    for (const argv of [['/evil/run', '--version'], ['/proc/self/exe', '--version'], ['true']])
      await guest.exec(victim.id, argv).catch(() => undefined);
    await stop(victim);
    t.is(await guest.logs(victim.id), '');
    await remove(victim);
  },
);

test.serial(
  'a working folder that leads to an open file of the runtime is refused, in run and exec: CVE-2024-21626',
  async (t) => {
    const victim = guest.shell('ls /proc/self/fd; readlink /proc/1/cwd; exec sleep 100000');
    await guest.start(victim);
    for (const fd of [3, 4, 5, 7, 8, 9, 10, 12, 16, 24, 64]) {
      const cwd = `/proc/self/fd/${fd}`;
      await refusal('cat ../canary ../../canary', { cwd });
      await t.throwsAsync(guest.exec(victim.id, ['ls', '..'], { cwd }), undefined, cwd);
    }
    // 3 is the folder that ls reads.
    t.is(await guest.logs(victim.id), '0\n1\n2\n3\n/\n');
    t.is((await guest.exec(victim.id, ['ls', '/proc/self/fd'])).out, '0\n1\n2\n3\n');
    await remove(victim);
  },
);

test.serial('an image whose devices are links into /proc changes no masking: CVE-2025-31133', async (t) => {
  const devices = await guest.addLayer(async (tree) => {
    await mkdir(path.join(tree, 'dev'));
    for (const name of ['null', 'zero', 'full'])
      await symlink('/proc/sys/kernel/core_pattern', path.join(tree, 'dev', name));
  });
  const show = 'stat -c "%F %t:%T" /dev/null /proc/kcore /proc/keys; echo x >/proc/kcore; cat /proc/kcore';
  const out = await attempt(t, show, { layers: [guest.layer.diffId, devices] });
  t.is(out, 'character special file 1:3\n'.repeat(3));
});

test.serial('an image whose terminals are links gets its own all the same: CVE-2025-52565', async (t) => {
  const terminals = await guest.addLayer(async (tree) => {
    await mkdir(path.join(tree, 'dev/pts'), { recursive: true });
    for (const name of ['pts/0', 'pts/1', 'console', 'ptmx'])
      await symlink('/proc/sys/kernel/core_pattern', path.join(tree, 'dev', name));
  });
  const show =
    'tty; stat -c %F /dev/pts/0 /dev/console; echo written >/dev/console; grep -c core_pattern /proc/self/mountinfo';
  const out = await attempt(t, show, {
    layers: [guest.layer.diffId, terminals],
    terminal: { columns: 80, rows: 24 },
  });
  t.is(out, '/dev/pts/0\r\ncharacter special file\r\ncharacter special file\r\nwritten\r\n0\r\n');
});

test.serial(
  'an image whose /proc, /sys or /dev is a link is refused: CVE-2025-52881, CVE-2019-19921, CVE-2023-27561',
  async (t) => {
    for (const [name, target] of Object.entries({ proc: 'tmp', sys: '/tmp', dev: '../../..' })) {
      const layer = await guest.addLayer((tree) => symlink(target, path.join(tree, name)));
      const refused = await refusal('true', { layers: [guest.layer.diffId, layer] });
      t.regex(refused, new RegExp(`open \`${name}\`: .*symbolic links`));
    }
  },
);

test.serial(
  'what is written for the kernel reaches the kernel, whatever the image has there: CVE-2025-52881',
  async (t) => {
    const layer = await guest.addLayer(async (tree) => {
      await mkdir(path.join(tree, 'proc/sys/net/core'), { recursive: true });
      await mkdir(path.join(tree, 'proc/self/attr'), { recursive: true });
      await symlink('/canary', path.join(tree, 'proc/sys/net/core/somaxconn'));
    });
    const change = { layers: [guest.layer.diffId, layer], sysctls: { 'net.core.somaxconn': '77' } };
    t.is(
      await attempt(t, 'cat /proc/sys/net/core/somaxconn; ls /canary 2>&1', change),
      '77\nls: /canary: No such file or directory\n',
    );
  },
);

test.serial('a working folder behind a link is one of the root', async (t) => {
  const layer = await guest.addLayer(async (tree) => {
    await symlink('../../../../..', path.join(tree, 'up'));
    await symlink('/proc/1/root', path.join(tree, 'init'));
    await symlink('/tmp', path.join(tree, 'work'));
  });
  const layers = [guest.layer.diffId, layer];
  for (const [cwd, at] of [
    ['/up', '/'],
    ['/work', '/tmp'],
    ['/init', '/'],
  ] as const) {
    const out = await attempt(t, 'pwd -P; ls -d opt/nest var/lib/nest', { layers, cwd });
    t.is(out, `${at}\n`, cwd);
  }
});

test.serial('a mount on /proc is refused', async (t) => {
  for (const destination of ['/proc', '/proc/sys', '/proc/self/attr', '/tmp/../proc'])
    t.regex(await refusal('true', { tmpfs: [{ destination, options: [] }] }), /mount/, destination);
});

test.serial('what guests share is read-only in QEMU, also for root of a guest, and keeps its digest', async (t) => {
  const disks = ['/dev/vda', '/dev/vdb', '/dev/sda'];
  const devices = disks.map((source) => ({ source, destination: source, access: 'rwm' }));
  const write = 'for d in $DISKS; do dd if=/dev/zero of=$d bs=4096 count=1 conv=fsync,notrunc 2>&1 | head -1; done';
  const out = await attempt(t, write, { devices, env: ['PATH=/bin', `DISKS=${disks.join(' ')}`] });
  t.is(out.match(/not permitted|Read-only|denied|I\/O error/g)?.length, disks.length, out);
});

test.serial('nothing that listens on the host can be reached from a container', async (t) => {
  const server = createServer((socket) => socket.end(CANARY)).listen(0, '::');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.is(await text(connect(port, '127.0.0.1')), CANARY);
  const own = Object.values(networkInterfaces()).flatMap((entries) => entries?.map(({ address }) => address) ?? []);
  const others = ['10.0.2.2', '10.0.2.3', '169.254.169.254', 'fe80::1', 'fec0::2'];
  const command =
    'for a in $ADDRESSES $(ip route | sed -n "s/^default via \\([^ ]*\\).*/\\1/p"); do nc -w 2 $a $PORT </dev/null; done; echo tried';
  const env = ['PATH=/bin', `PORT=${port}`, `ADDRESSES=${[...new Set([...own, ...others])].join(' ')}`];
  t.is(await attempt(t, command, { env }), 'tried\n');
});

test.serial(
  "QEMU has no capability, is not root, and libvirt's seccomp sandbox is on; each disk's format is named, and what is shared is read-only",
  async (t) => {
    const pid = await qemuPid(guest.domain);
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    t.regex(status, /^CapEff:\t0000000000000000$/m);
    t.regex(status, /^Seccomp:\t2$/m);
    t.notRegex(status, /^Uid:\t0\t/m);
    t.regex(command[command.indexOf('-sandbox') + 1] ?? '', /^on,/);
    const nodes = command
      .filter((word, at) => command[at - 1] === '-blockdev')
      .map((word) => JSON.parse(word) as BlockNode);
    const disks = nodes.filter(({ file }) => file !== undefined);
    t.true(disks.length >= 3);
    for (const { driver } of disks) t.true(driver === 'raw' || driver === 'qcow2', driver);
    for (const shared of [boot.root, boot.agent]) {
      const storage = nodes.find(({ filename }) => filename === shared);
      t.like(
        nodes.find(({ file }) => file !== undefined && file === storage?.['node-name']),
        { 'read-only': true },
      );
    }
  },
);

/** QEMU's -blockdev: a file, or a format over one. */
interface BlockNode {
  'node-name': string;
  driver: string;
  'read-only'?: boolean;
  filename?: string;
  file?: string;
}

/** What a command says that runs to its end. It has not read the canary. */
async function attempt(t: ExecutionContext, command: string, change: Partial<ContainerSpec> = {}): Promise<string> {
  const spec = guest.shell(command, change);
  try {
    await guest.run(spec);
    const out = await guest.logs(spec.id);
    t.false(out.includes(CANARY), out);
    return out;
  } finally {
    await remove(spec);
  }
}

/** Why a command does not begin. */
async function refusal(command: string, change: Partial<ContainerSpec>): Promise<string> {
  const spec = guest.shell(command, change);
  const refused = await guest.run(spec).then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );
  await remove(spec);
  if (refused === undefined) throw new Error(`\`${command}\` began: ${JSON.stringify(change)}`);
  return refused;
}

const pathOf = ({ id }: ContainerSpec) => `/v1/containers/${id}`;
const remove = (spec: ContainerSpec) => guest.trunk.send({ method: 'DELETE', path: `${pathOf(spec)}?force=1` });
const stop = (spec: ContainerSpec) => guest.trunk.send({ method: 'POST', path: `${pathOf(spec)}/kill?signal=SIGKILL` });

/** Of what all guests of this image boot from, and of the layer. */
const sharedDigests = () => Promise.all([boot.root, boot.agent, guest.layer.path].map(digestOf));

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
