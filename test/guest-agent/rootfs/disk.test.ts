import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
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

test('a disk whose serial can be read only after its file was made is found', async (t) => {
  const { sys, dev, plug } = folders(t);
  plug('sda', null);
  const found = findDisk('wanted', { sys, dev });
  await delay(20);
  writeFileSync(join(sys, 'block/sda/device/vpd_pg80'), Buffer.from('\0\x80\0\x06wanted', 'latin1'));
  t.is(await found, join(dev, 'sda'));
});

test('a disk that cannot be opened yet is waited for', async (t) => {
  const { sys, dev, plug } = folders(t);
  plug('sda', 'wanted');
  const device = join(dev, 'sda');
  rmSync(device);
  // Opening a socket fails as opening a disk does that the kernel still adds: ENXIO.
  const socket = createServer().listen(device);
  await once(socket, 'listening');
  const found = findDisk('wanted', { sys, dev });
  await delay(20);
  socket.close();
  await once(socket, 'close');
  writeFileSync(device, '');
  t.is(await found, device);
});

test('a disk that never comes is an error that says where to look', async (t) => {
  const { sys, dev } = folders(t);
  await t.throwsAsync(findDisk('wanted', { sys, dev, timeLimit: 1 }), { message: /`wanted`.*\/sys\/block/ });
});
