import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as v from 'valibot';
import { DiffId, REHEARSAL_LAYER } from './api.ts';
import { serialQueue } from './container/queue.ts';
import { conflict } from './errors.ts';

/** The layers that are mounted, each once for all containers. */
export interface Layers {
  /** Mounting a mounted layer succeeds. */
  mount(diffId: string, serial: string): Promise<void>;
  /** Makes the guest's own root the layer REHEARSAL_LAYER. */
  mountRoot(): void;
  /** Unmounting an absent layer succeeds. */
  unmount(diffId: string): Promise<void>;
  /** Diff ids. */
  list(): string[];
  /**
   * Folder names of an image's layers below the layers' folder, topmost first as overlayfs wants them. Throws when one is
   * not mounted.
   *
   * @param diffIds base layer first
   */
  names(diffIds: string[]): string[];
}

export interface LayerMounts {
  /** Path of the disk with this serial, waited for a while. */
  findDisk(serial: string): Promise<string>;
  mountLayer(disk: string, folder: string): void;
  bindRoot(folder: string): void;
  /** Removes the folder too. */
  unmountLayer(folder: string): void;
  /** Folders in `parent` that something is mounted on. */
  mountedIn(parent: string): string[];
}

/** Finds the layers that an earlier agent mounted. */
export function openLayers(folder: string, mounts: LayerMounts): Layers {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const mounted = new Map(readMounted(folder, mounts));
  const inTurn = serialQueue();
  return {
    mount: (diffId, serial) =>
      inTurn(async () => {
        if (mounted.has(diffId)) return;
        const disk = await mounts.findDisk(serial);
        const target = join(folder, serial);
        writeWhole(`${target}${NOTE}`, diffId);
        mounts.mountLayer(disk, target);
        mounted.set(diffId, serial);
      }),
    mountRoot() {
      const target = join(folder, 'rehearsal');
      writeWhole(`${target}${NOTE}`, REHEARSAL_LAYER);
      mounts.bindRoot(target);
      mounted.set(REHEARSAL_LAYER, 'rehearsal');
    },
    unmount: (diffId) =>
      inTurn(() => {
        const name = mounted.get(diffId);
        if (name === undefined) return;
        mounts.unmountLayer(join(folder, name));
        mounted.delete(diffId);
        rmSync(join(folder, `${name}${NOTE}`), { force: true });
      }),
    list: () => [...mounted.keys()],
    names(diffIds) {
      const names = diffIds.map((diffId) => {
        const name = mounted.get(diffId);
        if (name === undefined) throw conflict(`use layer \`${diffId}\`: it is not mounted`);
        return name;
      });
      // Overlayfs refuses the same folder twice; a layer hides its own repetition below.
      return [...new Set(names.reverse())];
    },
  };
}

/** Beside each mount a note tells the whole diff id: folder names are short, so that many fit the mount options. */
function readMounted(folder: string, mounts: LayerMounts): [diffId: string, name: string][] {
  return mounts
    .mountedIn(folder)
    .map((target) => [v.parse(DiffId, readFileSync(`${target}${NOTE}`, 'utf8')), basename(target)]);
}

function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

const NOTE = '.diff-id';
