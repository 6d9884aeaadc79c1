import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { ownCgroups } from '../../src/vm/process-limits.ts';

const DOMAIN = 'nest-01234567-0123456789ab';

test("version 1: the folders that libvirt made for the domain, above those of QEMU's threads", (t) => {
  const own = `/machine/qemu-7-${DOMAIN}.libvirt-qemu`;
  const text = `9:name=systemd:/\n4:memory:${own}\n1:cpu,cpuacct:${own}/emulator\n0::${own}/emulator\n`;
  t.deepEqual(ownCgroups(text, DOMAIN, '/cgroup'), {
    memory: `/cgroup/memory${own}`,
    cpu: `/cgroup/cpu,cpuacct${own}`,
  });
});

test('version 2: the scope that systemd made, if it has the controllers', async (t) => {
  const mount = await mkdtemp(path.join(tmpdir(), 'nest-cgroup-'));
  t.teardown(() => rm(mount, { recursive: true }));
  const own = `/machine.slice/machine-qemu\\x2d7\\x2d${DOMAIN.replaceAll('-', '\\x2d')}.scope`;
  await mkdir(path.join(mount, own), { recursive: true });
  t.deepEqual(ownCgroups(`0::${own}/libvirt/emulator\n`, DOMAIN, mount), {});
  await writeFile(path.join(mount, own, 'memory.max'), 'max\n');
  t.deepEqual(ownCgroups(`0::${own}/libvirt/emulator\n`, DOMAIN, mount), { memory: path.join(mount, own) });
});

test('a cgroup that QEMU shares with others is left alone', (t) => {
  const text = '4:memory:/user.slice/user-1000.slice\n1:cpu:/\n0::/user.slice/user-1000.slice/session-1.scope\n';
  t.deepEqual(ownCgroups(text, DOMAIN), {});
  t.deepEqual(ownCgroups(`4:memory:/machine/qemu-7-nest-01234567-ffffffffffff.libvirt-qemu\n`, DOMAIN), {});
  t.deepEqual(ownCgroups('', DOMAIN), {});
});
