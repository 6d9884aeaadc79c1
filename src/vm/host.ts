/** What the verbs of this room share: the machines of this engine as it knows them now. */
import type { ProcessOwner } from '../libvirt/domain-xml.ts';
import type { Libvirt } from '../libvirt/libvirt.ts';
import type { BootFiles } from '../guest-image/guest-image.ts';
import type { Paths } from '../paths.ts';
import { guestPaths } from '../paths.ts';
import { connectTrunk, type Trunk } from '../trunk/trunk.ts';
import type { GuestRecord } from './record.ts';

export interface Host {
  paths: Paths;
  libvirt: Libvirt;
  /** Of this engine's state folder. */
  instance: string;
  bootFiles: () => Promise<BootFiles>;
  /** How long a boot may take; undefined: by accelerator. */
  bootSeconds: number | undefined;
  /** Whom QEMU runs as when that is not this user. */
  owner: ProcessOwner | null;
  guests: Map<string, Guest>;
  changed(record: GuestRecord): void;
}

export interface Guest {
  record: GuestRecord;
  trunk: Trunk;
  /** Aborted when its QEMU is gone. */
  ended: AbortController;
  /** Layers that are attached, or just being attached, by diff id. */
  layers: Map<string, Promise<void>>;
  /** The last hot-plug, done or not: they choose a free place one after another. */
  plugging: Promise<unknown>;
}

/** Begins to follow a guest, whose socket need not be there yet. */
export function follow(host: Host, record: GuestRecord): Guest {
  const trunk = connectTrunk(guestPaths(host.paths, record.id).trunk, {
    // libvirt tells only once the process is reaped, which some init systems take seconds for.
    refused: () => {
      if (guest.record.state === 'running' || guest.record.state === 'unreachable') stopped(host, guest);
    },
  });
  const guest: Guest = {
    record,
    trunk,
    ended: new AbortController(),
    layers: new Map(),
    plugging: Promise.resolve(),
  };
  host.guests.set(record.id, guest);
  trunk.onChange((connected) => {
    // A new agent may have to be told again.
    if (!connected) guest.layers.clear();
    if (guest.record.state === 'running' || guest.record.state === 'unreachable')
      update(host, guest, { state: connected ? 'running' : 'unreachable' });
  });
  if (record.state === 'stopped') stopped(host, guest);
  return guest;
}

export function update(host: Host, guest: Guest, change: Partial<GuestRecord>): void {
  const before = guest.record;
  guest.record = { ...before, ...change };
  if (guest.record.state !== before.state) host.changed(guest.record);
}

/** Its QEMU is gone, for whatever reason. Nothing brings this guest back. */
export function stopped(host: Host, guest: Guest): void {
  guest.ended.abort();
  guest.trunk.close();
  update(host, guest, { state: 'stopped' });
}
