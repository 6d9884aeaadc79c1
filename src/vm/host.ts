/** What the verbs of this room share: the machines of this engine as it knows them now. */
import type { ProcessOwner } from '../libvirt/domain-xml.ts';
import type { Libvirt, LifecycleEvent } from '../libvirt/libvirt.ts';
import type { BootFiles } from '../guest-image/guest-image.ts';
import type { StockImage } from '../guest-image/stock-image.ts';
import type { Paths } from '../paths.ts';
import { guestPaths } from '../paths.ts';
import { connectTrunk, type Trunk } from '../trunk/trunk.ts';
import { autopsy } from './autopsy.ts';
import { watchHeart, type HeartbeatLimits } from './heartbeat.ts';
import type { Pool } from './pool.ts';
import type { GuestRecord } from './record.ts';
import type { Templates } from './template/templates.ts';

export interface Host {
  paths: Paths;
  libvirt: Libvirt;
  /** Of this engine's state folder. */
  instance: string;
  bootFiles: () => Promise<BootFiles>;
  /** By name. */
  stockImage: (name: string) => Promise<StockImage>;
  /** How long a boot may take, milliseconds. */
  bootLimit: (guest: Pick<GuestRecord, 'accelerator' | 'stock'>) => number;
  /** Whom QEMU runs as when that is not this user. */
  owner: ProcessOwner | null;
  /** Runs heartbeats, so many at a time. */
  asking: <T>(work: () => Promise<T>) => Promise<T>;
  /** Other limits than the usual ones. */
  heartbeat: Partial<HeartbeatLimits>;
  /** libvirt's number of QEMU's version: major * 1,000,000 + minor * 1,000 + release. */
  qemuVersion: number;
  guests: Map<string, Guest>;
  /** Ids of machines that belong to no zone: a template's while it is made, clones that wait to be wanted. */
  reserved: Set<string>;
  templates: Templates | undefined;
  pool: Pool | undefined;
  /** One line into the engine's log. */
  log: (message: string) => void;
  changed(record: GuestRecord): void;
}

export interface Guest {
  record: GuestRecord;
  trunk: Trunk;
  /** Aborted when its QEMU is gone. */
  ended: AbortController;
  /** Somebody has asked for its end: it is no news. */
  stopping: boolean;
  /** Layers that are attached, or just being attached, by diff id. */
  layers: Map<string, Promise<void>>;
  /** The last connection to its sshd, made or not. */
  dialling: Promise<unknown>;
  /** The last hot-plug, done or not: they choose a free place one after another. */
  plugging: Promise<unknown>;
}

/** Begins to follow a guest, whose socket need not be there yet. */
export function follow(host: Host, record: GuestRecord): Guest {
  const trunk = connectTrunk(guestPaths(host.paths, record.id).trunk, {
    // libvirt tells only once the process is reaped, which some init systems take seconds for.
    refused: () => {
      if (guest.record.state === 'running' || guest.record.state === 'unreachable') stopped(host, guest, QEMU_ENDED);
    },
  });
  const guest: Guest = {
    record,
    trunk,
    ended: new AbortController(),
    stopping: false,
    layers: new Map(),
    dialling: Promise.resolve(),
    plugging: Promise.resolve(),
  };
  host.guests.set(record.id, guest);
  trunk.onChange((connected) => {
    // A new agent may have to be told again.
    if (!connected) guest.layers.clear();
    if (guest.record.state === 'running' || guest.record.state === 'unreachable')
      update(host, guest, { state: connected ? 'running' : 'unreachable' });
  });
  if (record.state === 'stopped') letGo(guest);
  else void watchHeart(host, guest);
  return guest;
}

export function update(host: Host, guest: Guest, change: Partial<GuestRecord>): void {
  const before = guest.record;
  guest.record = { ...before, ...change };
  if (guest.record.state !== before.state) host.changed(guest.record);
}

/** What libvirt tells of a guest's domain. */
export function happened(
  host: Host,
  guest: Guest,
  { event, ioError }: { event: LifecycleEvent; ioError: boolean },
): void {
  const { state } = guest.record;
  switch (event) {
    case 'stopped':
    case 'crashed':
      stopped(host, guest, QEMU_ENDED);
      break;
    case 'suspended':
      if (state === 'running' || state === 'unreachable')
        update(host, guest, { state: 'paused', reason: ioError ? DISK_FULL : null });
      break;
    case 'resumed':
      if (state === 'paused')
        update(host, guest, { state: guest.trunk.connected ? 'running' : 'unreachable', reason: null });
      break;
    case 'defined':
    case 'undefined':
    case 'started':
    case 'shutdown':
      break;
  }
}

/**
 * Its QEMU is gone and nobody asked for that. The first word about it stands; `changed` is told when the console has been
 * read for a better one.
 *
 * @param reason as far as the host knows
 */
export function stopped(host: Host, guest: Guest, reason: string): void {
  if (guest.ended.signal.aborted) return;
  const booting = guest.record.state === 'starting';
  letGo(guest);
  if (guest.stopping) return;
  // Whoever boots it says itself why that failed (boot-error.ts).
  if (booting) update(host, guest, { state: 'stopped', reason });
  else
    void autopsy(host.paths, guest.record, reason)
      .catch(() => reason)
      .then((why) => update(host, guest, { state: 'stopped', reason: why }));
}

/** Follows this guest no longer. */
export function letGo(guest: Guest): void {
  guest.ended.abort();
  guest.trunk.close();
}

export const QEMU_ENDED = 'its QEMU ended';
const DISK_FULL = 'the host could not write its disk, most likely for want of space';
