import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { processesOf } from '../../../guest-agent/proc/process.ts';

test('processes of a cgroup and of those inside it, whatever they call themselves', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nest-proc-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const write = (path: string, text: string) => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write('cgroup/cgroup.procs', '12\n99\n');
  write('cgroup/health/cgroup.procs', '7\n');
  write('proc/stat', 'cpu 1\nbtime 1700000000\n');
  const numbers = '1 1 1 0 -1 4194560 9 0 0 0 50 30 0 0 20 0 2 0 500 8192 3 0';
  write('proc/12/stat', `12 (a) S (b) S ${numbers}`);
  write('proc/12/status', 'Name:\ta\nUid:\t33\t33\t33\t33\nGid:\t34\t34\t34\t34\n');
  write('proc/12/cmdline', 'sh\0-c\0echo a b\0');
  write('proc/7/stat', `7 (zombie) Z ${numbers}`);
  write('proc/7/status', 'Uid:\t0\t0\nGid:\t0\t0\n');
  write('proc/7/cmdline', '');
  const [first, second, ...rest] = processesOf(join(folder, 'cgroup'), join(folder, 'proc'));
  t.like(first, { pid: 7, state: 'Z', uid: 0, command: '[zombie]' });
  t.deepEqual(second, {
    pid: 12,
    parent: 1,
    uid: 33,
    gid: 34,
    threads: 2,
    state: 'S',
    startedAt: 1_700_000_005_000,
    cpuTime: 800,
    nice: 0,
    virtual: 8192,
    resident: 3 * 4096,
    name: 'a) S (b',
    command: 'sh -c echo a b',
  });
  t.deepEqual(rest, [], 'the one that has ended is left out');
});
