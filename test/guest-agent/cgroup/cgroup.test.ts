import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Limits, mergeLimits } from '../../../guest-agent/api.ts';
import { applyLimits } from '../../../guest-agent/cgroup/apply.ts';
import { createCgroup, killCgroup, prepareCgroups, removeCgroup } from '../../../guest-agent/cgroup/cgroup.ts';
import { ioUsage } from '../../../guest-agent/cgroup/io.ts';
import { oomKillCount } from '../../../guest-agent/cgroup/memory.ts';
import { pidsUsage } from '../../../guest-agent/cgroup/pids.ts';
import { pressure } from '../../../guest-agent/cgroup/pressure.ts';
import { guestTime } from '../../../guest-agent/cgroup/stats.ts';

function limited(limits: Limits, root: string): string {
  const folder = createCgroup('one', root);
  applyLimits(folder, limits);
  return folder;
}

function mount(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nest-cgroup-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

const contents = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));

test('controllers are enabled for the containers and may be so already', (t) => {
  const folder = mount(t);
  prepareCgroups(folder, 512 << 20);
  prepareCgroups(folder, 512 << 20);
  t.is(readFileSync(join(folder, 'cgroup.subtree_control'), 'utf8'), '+cpu +memory +pids +io');
  t.is(readFileSync(join(folder, 'nest/cgroup.subtree_control'), 'utf8'), '+cpu +memory +pids +io');
  t.is(readFileSync(join(folder, 'nest/memory.max'), 'utf8'), String(382 << 20), 'less than the guest has');
});

test('each limit has its file', (t) => {
  const limits = {
    memory: { limit: 64 * 1024 * 1024, reservation: 1024 },
    cpu: { quota: 50_000, period: 100_000, burst: 2000, shares: 1024, cpus: '0-1', mems: '0' },
    pids: { limit: 20 },
    blockIO: {
      weight: 500,
      weightDevice: [{ major: 254, minor: 0, weight: 1000 }],
      throttleWriteBpsDevice: [{ major: 254, minor: 0, rate: 1048576 }],
    },
    hugepageLimits: [{ pageSize: '2MB', limit: 0 }],
    unified: { 'memory.high': '1000' },
  };
  t.deepEqual(contents(limited(limits, mount(t))), {
    'memory.max': '67108864',
    'memory.swap.max': '0',
    'memory.oom.group': '1',
    'memory.low': '1024',
    'memory.high': '1000',
    'cpu.max': '50000 100000',
    'cpu.max.burst': '2000',
    'cpu.weight': '39',
    'cpuset.cpus': '0-1',
    'cpuset.mems': '0',
    'pids.max': '20',
    'io.weight': '254:0 10000',
    'io.max': '254:0 wbps=1048576',
    'hugetlb.2MB.max': '0',
  });
});

test('what is not limited is left as the kernel has it, but that it ends as a whole where memory does', (t) => {
  t.deepEqual(contents(limited({}, mount(t))), { 'memory.oom.group': '1' });
});

test('-1 takes a limit away; one that ends as a whole still does', (t) => {
  const limits = { memory: { limit: -1 as const }, cpu: { quota: -1 as const }, pids: { limit: -1 as const } };
  t.deepEqual(contents(limited(limits, mount(t))), {
    'memory.max': 'max',
    'memory.swap.max': 'max',
    'memory.oom.group': '1',
    'cpu.max': 'max 100000',
    'pids.max': 'max',
  });
});

test('limits are written all or not at all', (t) => {
  const folder = createCgroup('one', mount(t));
  const before = {
    'memory.max': 'max\n',
    'cpu.max': '150000 50000\n',
    'cpu.max.burst': '1000\n',
    'cpuset.cpus': '',
    'io.weight': 'default 100\n254:0 200\n',
    'io.max': '254:0 rbps=4096 wbps=max riops=max wiops=max\n',
  };
  for (const [file, text] of Object.entries(before)) writeFileSync(join(folder, file), text);
  mkdirSync(join(folder, 'hugetlb.2MB.max')); // as good as a value that the kernel refuses
  const limits = {
    memory: { limit: 64 << 20 },
    cpu: { quota: 50_000, period: 100_000, burst: 2000, cpus: '0' },
    blockIO: {
      weight: 10,
      weightDevice: [{ major: 254, minor: 0, weight: 20 }],
      throttleReadBpsDevice: [{ major: 254, minor: 0, rate: 1 }],
      throttleWriteBpsDevice: [{ major: 8, minor: 16, rate: 1 }],
    },
    hugepageLimits: [{ pageSize: '2MB', limit: 0 }],
  };
  t.throws(() => applyLimits(folder, limits), { message: /write `0` to `hugetlb\.2MB\.max`: EISDIR/ });
  rmSync(join(folder, 'hugetlb.2MB.max'), { recursive: true });
  // In plain files the last line written is all there is.
  t.like(contents(folder), {
    'memory.max': 'max\n',
    'cpu.max': '150000 50000\n',
    'cpu.max.burst': '1000\n',
    'cpuset.cpus': '\n',
    'io.weight': 'default 100',
    'io.max': '254:0 rbps=4096 wbps=max riops=max wiops=max',
  });
});

test('swap counts memory and swap together', (t) => {
  const swap = (limit: number, both: number) =>
    contents(limited({ memory: { limit, swap: both } }, mount(t)))['memory.swap.max'];
  t.is(swap(64 << 20, 96 << 20), String(32 << 20));
  t.is(swap(64 << 20, -1), 'max');
  t.throws(() => swap(64 << 20, 32 << 20), { message: /at least the memory limit/ });
});

test('a controller that few need is enabled with the first who does, in every cgroup above', (t) => {
  const root = mount(t);
  prepareCgroups(root);
  limited({ cpu: { cpus: '0' } }, root);
  t.is(readFileSync(join(root, 'cgroup.subtree_control'), 'utf8'), '+cpuset');
  t.is(readFileSync(join(root, 'nest/cgroup.subtree_control'), 'utf8'), '+cpuset');
});

test('a cgroup that exists is created again', (t) => {
  const root = mount(t);
  t.is(createCgroup('one', root), createCgroup('one', root));
});

test('a cgroup that is gone is killed and removed', (t) => {
  const folder = join(mount(t), 'gone');
  t.notThrows(() => killCgroup(folder));
  t.notThrows(() => removeCgroup(folder));
  t.false(existsSync(folder));
});

test('a change of limits keeps what it does not name', (t) => {
  const limits = { memory: { limit: 1 << 26, reservation: 1 << 20 }, pids: { limit: 9 } };
  t.deepEqual(mergeLimits(limits, { memory: { limit: 1 << 27 }, cpu: { shares: 2 } }), {
    memory: { limit: 1 << 27, reservation: 1 << 20 },
    cpu: { shares: 2 },
    pids: { limit: 9 },
  });
});

test('what the kernel counts is read as it writes it', (t) => {
  const folder = mount(t);
  mkdirSync(folder, { recursive: true });
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  write('memory.events', 'low 0\nhigh 0\nmax 7\noom 1\noom_kill 3\noom_group_kill 1\n');
  t.is(oomKillCount(folder), 3);
  write('io.stat', '254:0 rbytes=4096 wbytes=512 rios=1 wios=2 dbytes=0 dios=0\n7:0 \n');
  t.deepEqual(ioUsage(folder), [
    { major: 254, minor: 0, readBytes: 4096, writtenBytes: 512, reads: 1, writes: 2 },
    { major: 7, minor: 0, readBytes: 0, writtenBytes: 0, reads: 0, writes: 0 },
  ]);
  write('pids.current', '3\n');
  write('pids.max', 'max\n');
  t.deepEqual(pidsUsage(folder), { current: 3, limit: 0 });
  write(
    'cpu.pressure',
    'some avg10=1.50 avg60=0.20 avg300=0.00 total=77\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n',
  );
  t.like(pressure(folder, 'cpu'), { some: { avg10: 1.5, total: 77 }, full: { total: 5 } });
  t.deepEqual(guestTime('cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1\ncpu1 1\nintr 5\n'), { time: 360_000, processors: 2 });
});
