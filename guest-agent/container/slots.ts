import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { errnoOf, report } from '../errors.ts';
import { type Folders, slotPaths, slotsFolder, switchFile } from '../folders.ts';
import type { Cable } from '../network/wiring.ts';
import type { Runtime } from '../runtime.ts';
import { SANDBOX } from '../security/defaults.ts';
import { type Capture, captureFifo } from '../stdio/capture.ts';
import { type OutputStream, STDERR, STDOUT } from '../stdio/frame.ts';
import { openUnlogged, type Unlogged } from '../stdio/unlogged.ts';

/** What one run of a container happens in: a cgroup, and a folder with its FIFOs and the place to mount its root on. */
export interface Slot {
  /** Folder of the cgroup, whose name is the slot's. */
  cgroup: string;
  /** Of what its process writes. */
  outputs: SlotOutput[];
  /** Whether what waits in it has a cable: network/wiring.ts. */
  wired: boolean;
}

export interface SlotOutput {
  capture: Capture;
  unlogged: Unlogged;
}

/**
 * Slots are made while there is nothing to do, each with a process of the zygote waiting in it: a container that takes one
 * starts in a fraction of the time. See zygote/prepare.ts.
 */
export interface Slots {
  /** @param wired for a container that will be on a network */
  take(wired: boolean): Slot;
  /**
   * None is made while a container is being started, which needs the processors more.
   *
   * @returns says that it has started, or failed to
   */
  hold(): () => void;
  /** Cgroups of those that wait. */
  waiting(): string[];
  /** Forgets those that wait, as when the zygote is another one, and makes new ones. */
  renew(): void;
  close(): void;
}

type SlotRuntime = Pick<Runtime, 'folders' | 'kernel' | 'zygote' | 'clock'>;

/** @param count how many are kept ready; a waiting process costs memory of its own, about that of a shell */
export function openSlots(runtime: () => SlotRuntime, count: number): Slots {
  let waiting: Slot[] = [];
  /** Kinds that are kept ready: the other one from when it was first asked for. */
  const kinds = new Set([false]);
  /** Containers that are being started. */
  let held = 0;
  let cancel = () => {};

  /** One at a time, and after a while in which nothing was started. */
  const refill = () => {
    cancel();
    const scarce = [...kinds].find((wired) => waiting.filter((slot) => slot.wired === wired).length < count);
    if (scarce !== undefined && held === 0) cancel = runtime().clock.after(REFILL_DELAY, () => makeReady(scarce));
  };
  const makeReady = (wired: boolean) => {
    try {
      const { folders, zygote } = runtime();
      const slot = makeSlot(runtime(), wired);
      waiting.push(slot);
      const { stdout, stderr } = slotPaths(folders, basename(slot.cgroup));
      zygote.prepare(slot.cgroup, { ...SANDBOX, cable: cableOf(folders, slot) }, { stdout, stderr });
      refill();
    } catch (error) {
      report('make a slot', error); // a container makes its own then, and says what is wrong
    }
  };
  const forget = () => {
    for (const slot of waiting) closeSlot(slot);
    waiting = [];
  };

  return {
    take(wired) {
      kinds.add(wired);
      const slot = waiting.find((one) => one.wired === wired) ?? makeSlot(runtime(), wired);
      waiting = waiting.filter((one) => one !== slot);
      refill();
      return slot;
    },
    hold() {
      held += 1;
      cancel();
      return () => {
        held -= 1;
        refill();
      };
    },
    waiting: () => waiting.map(({ cgroup }) => cgroup),
    renew() {
      forget();
      refill();
    },
    close() {
      cancel();
      forget();
    },
  };
}

/** Opens the agent's ends of a slot that exists, as of a process that outlived an earlier agent. */
export function openSlot(
  { folders, kernel }: Pick<Runtime, 'folders' | 'kernel'>,
  cgroup: string,
  wired: boolean,
): Slot {
  const paths = slotPaths(folders, basename(cgroup));
  const open = (stream: OutputStream, path: string, file: string): SlotOutput => {
    const unlogged = openUnlogged(kernel, file, stream);
    return { capture: captureFifo(path, unlogged.receive, unlogged.buffer), unlogged };
  };
  const outputs = [
    open(STDOUT, paths.stdout, paths.unlogged.stdout),
    open(STDERR, paths.stderr, paths.unlogged.stderr),
  ];
  return { cgroup, outputs, wired };
}

/** Interfaces have short names: netdevice(7), IFNAMSIZ. */
export const cableOf = (folders: Folders, { cgroup, wired }: Pick<Slot, 'cgroup' | 'wired'>): Cable | null =>
  wired ? { switch: switchFile(folders), port: `v${basename(cgroup).slice(0, 12)}` } : null;

/** Takes what the process wrote last, and closes the agent's ends. */
export function closeSlot({ outputs }: Pick<Slot, 'outputs'>): void {
  for (const { capture, unlogged } of outputs) {
    capture.finish();
    unlogged.close();
  }
}

/** Removes what is left of a slot, also when it is nothing. What stays is tried again when the next agent begins. */
export function removeSlot({ folders, kernel }: Pick<Runtime, 'folders' | 'kernel'>, cgroup: string): void {
  try {
    kernel.removeCgroup(cgroup);
    rmSync(slotPaths(folders, basename(cgroup)).folder, { recursive: true, force: true });
  } catch (error) {
    report(`remove cgroup \`${cgroup}\``, error);
  }
}

/** Removes all but those that are `used`. */
export function sweepSlots(runtime: Pick<Runtime, 'folders' | 'kernel'>, used: Set<string>): void {
  for (const cgroup of runtime.kernel.cgroups()) if (!used.has(cgroup)) removeSlot(runtime, cgroup);
  const names = new Set([...used].map((cgroup) => basename(cgroup)));
  for (const name of namesIn(slotsFolder(runtime.folders)))
    if (!names.has(name)) rmSync(slotPaths(runtime.folders, name).folder, { recursive: true, force: true });
}

function makeSlot({ folders, kernel }: SlotRuntime, wired: boolean): Slot {
  const name = randomBytes(8).toString('hex');
  const { root, stdout, stderr } = slotPaths(folders, name);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  for (const path of [stdout, stderr]) kernel.mkfifo(path, 0o600);
  return openSlot({ folders, kernel }, kernel.createCgroup(name), wired);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Milliseconds, in which what was started comes to its first output. */
const REFILL_DELAY = 20;
