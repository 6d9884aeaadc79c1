import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { findDisk } from '../../../guest-agent/rootfs/disk.ts';

/** A guest's /sys and /dev, to plug disks into. */
function folders(t: ExecutionContext) {
  const base = mkdtempSync(join(tmpdir(), 'nest-disk-'));
  t.teardown(() => rmSync(base, { recursive: true }));
  const [sys, dev] = [join(base, 'sys'), join(base, 'dev')];
  mkdirSync(join(sys, 'block'), { recursive: true });
  mkdirSync(dev);
  const plug = (name: string, serial: string | null) => {
    const device = join(sys, 'block', name, 'device');
    mkdirSync(device, { recursive: true });
    const page = Buffer.concat([Buffer.from([0, 0x80, 0, serial?.length ?? 0]), Buffer.from(serial ?? '')]);
    if (serial !== null) writeFileSync(join(device, 'vpd_pg80'), page);
    writeFileSync(join(dev, name), '');
  };
  return { sys, dev, plug };
}

test('a disk is found by its serial', async (t) => {
  const { sys, dev, plug } = folders(t);
  plug('vda', null);
  plug('sda', 'other');
  plug('sdb', 'wanted');
  t.is(await findDisk('wanted', { sys, dev }), join(dev, 'sdb'));
});

test('a disk that is plugged in later is waited for', async (t) => {
  const { sys, dev, plug } = folders(t);
  const found = findDisk('wanted', { sys, dev });
  plug('sda', 'other');
  plug('sdb', 'wanted');
  t.is(await found, join(dev, 'sdb'));
});

test('a disk that never comes is an error that says where to look', async (t) => {
  const { sys, dev } = folders(t);
  await t.throwsAsync(findDisk('wanted', { sys, dev, timeLimit: 1 }), { message: /`wanted`.*\/sys\/block/ });
});
