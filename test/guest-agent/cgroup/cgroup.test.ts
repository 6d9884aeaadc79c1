import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createCgroup, killCgroup, prepareCgroups, removeCgroup } from '../../../guest-agent/cgroup/cgroup.ts';
import { oomKillCount } from '../../../guest-agent/cgroup/memory.ts';

function mount(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nest-cgroup-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

const contents = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));

test('controllers are enabled for the containers and may be so already', (t) => {
  const folder = mount(t);
  prepareCgroups(folder);
  prepareCgroups(folder);
  t.is(readFileSync(join(folder, 'cgroup.subtree_control'), 'utf8'), '+cpu +memory +pids');
  t.is(readFileSync(join(folder, 'nest/cgroup.subtree_control'), 'utf8'), '+cpu +memory +pids');
});

test('each limit has its file', (t) => {
  const folder = createCgroup('one', { memory: 64 * 1024 * 1024, cpus: 0.5, pids: 20 }, mount(t));
  t.deepEqual(contents(folder), {
    'memory.max': '67108864',
    'memory.swap.max': '0',
    'memory.oom.group': '1',
    'cpu.max': '50000 100000',
    'pids.max': '20',
  });
});

test('what is not limited is left as the kernel has it', (t) => {
  t.deepEqual(contents(createCgroup('one', {}, mount(t))), {});
});

test('the smallest share is the smallest quota that the kernel takes', (t) => {
  t.is(contents(createCgroup('one', { cpus: 0.01 }, mount(t)))['cpu.max'], '1000 100000');
  t.is(contents(createCgroup('one', { cpus: 2 }, mount(t)))['cpu.max'], '200000 100000');
});

test('a cgroup that exists is created again', (t) => {
  const root = mount(t);
  t.is(createCgroup('one', {}, root), createCgroup('one', { pids: 1 }, root));
});

test('a cgroup that is gone is killed and removed', (t) => {
  const folder = join(mount(t), 'gone');
  t.notThrows(() => killCgroup(folder));
  t.notThrows(() => removeCgroup(folder));
  t.false(existsSync(folder));
});

test('processes that the kernel killed for want of memory are counted', (t) => {
  const folder = mount(t);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'memory.events'), 'low 0\nhigh 0\nmax 7\noom 1\noom_kill 3\noom_group_kill 1\n');
  t.is(oomKillCount(folder), 3);
});
