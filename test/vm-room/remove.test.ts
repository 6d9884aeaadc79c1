import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Libvirt } from '../../src/libvirt/libvirt.ts';
import { nestPaths } from '../../src/paths.ts';
import type { Trunk } from '../../src/trunk/trunk.ts';
import { happened, type Guest, type Host } from '../../src/vm/host.ts';
import type { GuestRecord } from '../../src/vm/record.ts';
import { removeGuest } from '../../src/vm/remove.ts';

test('the end of a guest that is removed is no news, and nothing of it is kept', async (t) => {
  const { host, guest, told } = await aGuest(t, () => {
    happened(host, guest, { event: 'stopped', ioError: false });
  });
  await removeGuest(host, guest.record.id);
  await new Promise((resolve) => setTimeout(resolve, LONGER_THAN_AN_AUTOPSY));
  t.deepEqual(told, []);
  t.false(existsSync(host.paths.lastWords));
  t.is(host.guests.size, 0);
});

test('one that could not be removed is followed on: its end is news', async (t) => {
  const { host, guest, told } = await aGuest(t, () => {
    throw new Error('libvirt is away');
  });
  await t.throwsAsync(removeGuest(host, guest.record.id), { message: 'libvirt is away' });
  happened(host, guest, { event: 'stopped', ioError: false });
  await new Promise((resolve) => setTimeout(resolve, LONGER_THAN_AN_AUTOPSY));
  t.is(told.at(-1)?.state, 'stopped');
  t.is(host.guests.size, 1);
});

/** A guest that is no machine. @param destroy what libvirt does */
async function aGuest(t: ExecutionContext, destroy: () => void) {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-remove-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const told: GuestRecord[] = [];
  const libvirt = {
    destroy: () => {
      destroy();
      return Promise.resolve();
    },
    undefine: () => Promise.resolve(),
  } as unknown as Libvirt;
  const paths = nestPaths({ NEST_DATA_DIR: folder, NEST_RUNTIME_DIR: path.join(folder, 'run') });
  const host = { paths, libvirt, instance: 'a'.repeat(32), guests: new Map<string, Guest>() } as unknown as Host;
  host.changed = (record) => told.push(record);
  const record = { id: '0123456789ab', name: 'web-1', state: 'running', reason: null } as GuestRecord;
  const trunk = { close: () => undefined } as unknown as Trunk;
  const guest = { record, trunk, ended: new AbortController(), stopping: false } as Guest;
  host.guests.set(record.id, guest);
  return { host, guest, told };
}

const LONGER_THAN_AN_AUTOPSY = 500;
