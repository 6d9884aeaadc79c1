import type { Socket } from 'node:net';
import type { AcceleratorChoice } from '../api.ts';
import { NestError } from '../errors.ts';
import type { BootFiles } from '../guest-image/guest-image.ts';
import { findStockImage, type StockImage } from '../guest-image/stock-image.ts';
import { processOwner } from '../libvirt/description.ts';
import { openLibvirt } from '../libvirt/libvirt.ts';
import type { Paths } from '../paths.ts';
import type { Progress } from '../progress.ts';
import { semaphore } from '../semaphore.ts';
import type { SshAccess } from '../ssh/log-in.ts';
import type { Trunk } from '../trunk/trunk.ts';
import { adoptGuests } from './adopt.ts';
import { lastWords } from './autopsy.ts';
import { pauseGuest, resumeGuest } from './pause.ts';
import { resizeGuest } from './resize.ts';
import { deleteSnapshot, listSnapshots, restoreSnapshot, takeSnapshot, type Snapshot } from './snapshot.ts';
import { startGuest } from './start.ts';
import { stopGuest } from './stop.ts';
import { attachLayer } from './attach-layer.ts';
import { consoleTail } from './console.ts';
import { createGuest } from './create.ts';
import { detachLayers, type Wanted } from './detach-layers.ts';
import { prepareFolders } from './folders.ts';
import { ASKED_AT_ONCE, type HeartbeatLimits } from './heartbeat.ts';
import { happened, letGo, type Guest, type Host } from './host.ts';
import { hostUsage, type HostUsage } from './host-usage.ts';
import { domainName, type GuestRecord, type GuestShape } from './record.ts';
import { processLimits, type ProcessLimits } from './process-limits.ts';
import { openPool } from './pool.ts';
import { attachScratch, type Scratch } from './scratch.ts';
import { removeGuest } from './remove.ts';
import { dialSshd } from './stock/dial.ts';
import { sshAccess } from './stock/keys.ts';
import { openTemplates } from './template/templates.ts';
import { attachedVolumes, attachVolume, detachVolume, type AttachedVolume } from './volumes.ts';

export type { GuestRecord, GuestShape } from './record.ts';
export type { Snapshot } from './snapshot.ts';
export type { AttachedVolume } from './volumes.ts';

export interface GuestRequest {
  zone: string;
  name: string;
  shape: GuestShape;
  accelerator: AcceleratorChoice;
  /** Name of a stock image; null for nest's own. */
  stock?: string | null;
}

/**
 * The guests of this engine. libvirt is the truth: every guest is a persistent domain whose metadata holds its record, so
 * an engine that lost everything finds them again.
 */
export interface Guests {
  /** Finds this engine's domains, removes half-made ones, connects to the running ones. Called once at engine start; by itself after libvirt came back. */
  adopt(): Promise<void>;
  list(): GuestRecord[];
  get(id: string): GuestRecord | undefined;
  /** Clones or boots; resolves when the agent has taken its identity. On failure nothing is left and the error shows the console's last lines. */
  create(request: GuestRequest, progress: Progress, signal?: AbortSignal): Promise<GuestRecord>;
  /** Has it turn itself off, keeping its disk. Stopped already is success. */
  stop(id: string): Promise<void>;
  /** Boots it with the disk that it has; resolves when the agent has answered. Running already is success. */
  start(id: string, progress: Progress, signal?: AbortSignal): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  /** Notes what it is promised from its next start on. */
  resize(id: string, shape: GuestShape): Promise<void>;
  snapshots(id: string): Promise<Snapshot[]>;
  takeSnapshot(id: string, name: string): Promise<Snapshot>;
  /** Makes the guest what it was at that moment, with the containers that ran in it then. */
  restoreSnapshot(id: string, name: string): Promise<void>;
  /** Absent is success. */
  deleteSnapshot(id: string, name: string): Promise<void>;
  /** Hot-plugs the layer's disk and has the agent mount it; done already is success. */
  attachLayer(id: string, layer: { diffId: string; path: string }): Promise<void>;
  /** Gives the guest a disk for bytes that the engine reads. */
  attachScratch(id: string): Promise<Scratch>;
  /** Unmounts and unplugs the layers that are not wanted. */
  detachLayers(id: string, wanted: Wanted): Promise<void>;
  /** Hot-plugs the volume's disk and has the agent mount it; attached already, in either way, is success. */
  attachVolume(id: string, volume: AttachedVolume & { file: string }): Promise<void>;
  /** Unmounts and unplugs it; absent is success. @throws NestError `conflict` while a container runs with it. */
  detachVolume(id: string, volumeId: string): Promise<void>;
  attachedVolumes(id: string): Promise<AttachedVolume[]>;
  trunk(id: string): Trunk;
  /** What logs in to a guest of a stock image. @throws NestError `unsupported` for another */
  sshAccess(id: string): Promise<SshAccess>;
  /** A connection to its sshd. */
  dialSshd(id: string, signal?: AbortSignal): Promise<Socket>;
  /** Resolves when the pool is full, as far as it can be. */
  poolFilled(): Promise<void>;
  /** Ends QEMU, forgets the domain, deletes disk, console and sockets. Absent is success. */
  remove(id: string): Promise<void>;
  /** What it takes of this host's memory; undefined where it does not run or nobody may look. */
  hostUsage(id: string): Promise<HostUsage | undefined>;
  /** What its QEMU may use of this host at most. */
  processLimits(id: string): Promise<ProcessLimits>;
  /** The console's last lines, control characters kept. */
  console(id: string, lines: number): Promise<string>;
  /** The same of the last guest of that name or id that ended by itself and is gone. */
  lastWords(reference: string): Promise<string | undefined>;
  /** Called whenever a record's state changed: booted, agent lost or back, QEMU gone. */
  onChange(listener: (guest: GuestRecord) => void): void;
  /** Lets go of the guests, which run on. */
  close(): Promise<void>;
}

export interface GuestsOptions {
  paths: Paths;
  /** libvirt's, e.g. qemu:///system. */
  uri: string;
  bootFiles: () => Promise<BootFiles>;
  /** Finds a stock image by its name. */
  stockImage?: (name: string) => Promise<StockImage>;
  /** Names this engine's state folder, e.g. 32 hex digits; only its own domains are adopted. */
  instance: string;
  heartbeat?: Partial<HeartbeatLimits>;
  /** Time limit of a boot; by default 20 s with KVM, 120 s without. A stock image may take several times as long. */
  bootSeconds?: number;
  /** False: every guest is booted. */
  templates?: boolean;
  /** How many clones of each shape in use are kept ready; by default none. */
  pool?: number;
  /** Takes what went wrong and was got round. */
  log?: (message: string) => void;
}

/** Throws `libvirt-unavailable`, or `not-permitted` when QEMU's user could not reach the state folder. */
export async function openGuests(options: GuestsOptions): Promise<Guests> {
  const listeners: ((guest: GuestRecord) => void)[] = [];
  await using undo = new AsyncDisposableStack();
  const libvirt = await openLibvirt(options.uri);
  undo.defer(() => libvirt.close());
  const owner = processOwner(await libvirt.capabilities());
  await prepareFolders(options.paths, owner);
  const host: Host = {
    paths: options.paths,
    libvirt,
    instance: options.instance,
    bootFiles: options.bootFiles,
    stockImage: options.stockImage ?? ((name) => findStockImage(options.paths, name)),
    bootLimit: ({ accelerator, stock }) =>
      (options.bootSeconds ?? BOOT_SECONDS[accelerator]) * (stock === null ? 1 : STOCK_FACTOR) * 1000,
    owner,
    asking: semaphore(ASKED_AT_ONCE),
    heartbeat: options.heartbeat ?? {},
    qemuVersion: (await libvirt.version()).hypervisor,
    guests: new Map(),
    reserved: new Set(),
    templates: undefined,
    pool: undefined,
    log: options.log ?? (() => undefined),
    changed: (record) => {
      for (const listener of listeners) listener(record);
    },
  };
  if (options.templates !== false) host.templates = openTemplates(host);
  if (options.pool) host.pool = openPool(host, options.pool);
  const adopt = inTurn(() => adoptGuests(host));
  let adopted = false;
  const watching = Promise.withResolvers<undefined>();
  const watch = libvirt.watch({
    onLifecycle({ name, ...what }) {
      for (const guest of host.guests.values())
        if (domainName(host.instance, guest.record.id) === name) happened(host, guest, what);
    },
    onConnection(connected) {
      watching.resolve(undefined);
      // Nobody told what happened while the connection was away.
      if (connected && adopted) adopt().catch((error: unknown) => process.emitWarning(error as Error));
    },
  });

  await watching.promise;
  undo.move();

  const known = (id: string): Guest => {
    const guest = host.guests.get(id);
    if (guest) return guest;
    throw new NestError('not-found', `find guest \`${id}\`: no such guest`, { hint: 'See them with nest vm list' });
  };
  return {
    async adopt() {
      await adopt();
      adopted = true;
    },
    list: () => [...host.guests.values()].map(({ record }) => record),
    get: (id) => host.guests.get(id)?.record,
    create: (request, progress, signal) => createGuest(host, request, progress, signal),
    stop: async (id) => stopGuest(host, known(id)),
    start: async (id, progress, signal) => startGuest(host, known(id), progress, signal),
    pause: async (id) => pauseGuest(host, known(id)),
    resume: async (id) => resumeGuest(host, known(id)),
    resize: async (id, shape) => resizeGuest(host, known(id), shape),
    snapshots: async (id) => listSnapshots(host, known(id)),
    takeSnapshot: async (id, name) => takeSnapshot(host, known(id), name),
    restoreSnapshot: async (id, name) => restoreSnapshot(host, known(id), name),
    deleteSnapshot: async (id, name) => deleteSnapshot(host, known(id), name),
    attachLayer: async (id, layer) => attachLayer(host, known(id), layer),
    attachScratch: async (id) => attachScratch(host, known(id)),
    detachLayers: async (id, wanted) => detachLayers(host, known(id), wanted),
    attachVolume: async (id, volume) => attachVolume(host, known(id), volume),
    detachVolume: async (id, volumeId) => detachVolume(host, known(id), volumeId),
    attachedVolumes: async (id) => attachedVolumes(host, known(id)),
    sshAccess: async (id) => sshAccess(host.paths, known(id).record),
    dialSshd: async (id, signal) => dialSshd(host, known(id), signal),
    poolFilled: async () => host.pool?.settled(),
    trunk: (id) => known(id).trunk,
    remove: (id) => removeGuest(host, id),
    hostUsage: (id) => hostUsage(known(id).record.domain, options.uri),
    processLimits: (id) => processLimits(known(id).record.domain, options.uri),
    console: async (id, lines) => consoleTail(host.paths, known(id).record.id, lines),
    lastWords: (reference) => lastWords(host.paths, reference),
    onChange: (listener) => void listeners.push(listener),
    async close() {
      watch.close();
      await host.pool?.close();
      for (const guest of host.guests.values()) letGo(guest);
      await libvirt.close();
    },
  };
}

/** Calls wait for each other; one that failed does not keep the next from trying. */
function inTurn(work: () => Promise<void>): () => Promise<void> {
  let last = Promise.resolve();
  return () => (last = last.then(work, work));
}

/** Seconds; many times what a boot takes, for emulation on a host that is busy. A guest that gives up ends sooner. */
const BOOT_SECONDS = { kvm: 20, tcg: 120 };
const STOCK_FACTOR = 8;
