import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { DomainSummary, Libvirt } from '../../src/libvirt/libvirt.ts';
import { guestPaths, nestPaths } from '../../src/paths.ts';
import { adoptGuests } from '../../src/vm/adopt.ts';
import type { Host } from '../../src/vm/host.ts';
import { domainName } from '../../src/vm/record.ts';

test('files of a domain that goes while guests are adopted go as well', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-adopt-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const paths = nestPaths({ NEST_DATA_DIR: folder, NEST_RUNTIME_DIR: path.join(folder, 'run') });
  const files = guestPaths(paths, ID).folder;
  for (const made of [files, paths.templates]) await mkdir(made, { recursive: true });
  const listed = [{ name: domainName(INSTANCE, ID), active: true, state: 'paused' } as DomainSummary];
  const libvirt = {
    uri: 'test:///default',
    list: () => Promise.resolve(listed.splice(0)),
    metadata: () => Promise.resolve(undefined),
  } as unknown as Libvirt;
  const guests = new Map();
  await adoptGuests({ paths, libvirt, instance: INSTANCE, guests, reserved: new Set<string>() } as unknown as Host);
  t.false(existsSync(files));
  t.is(guests.size, 0);
});

const INSTANCE = 'a'.repeat(32);
const ID = '0123456789ab';
