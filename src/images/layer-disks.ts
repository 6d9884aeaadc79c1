import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Progress } from '../progress.ts';
import { short } from './blobs.ts';
import { abortable } from './exclusive.ts';
import type { LayerFile } from './images.ts';
import { convertLayer, proveLayer, type LayerBlob } from './layer.ts';
import { semaphore } from './semaphore.ts';
import { megabytes } from './units.ts';

/** The layers' disks of this host: one squashfs per diff ID, whatever the number of images and guests. */
export interface LayerDisks {
  /** The layer's disk, made from `blob` unless it is there. Requests for the same layer share the work. */
  ensure(layer: LayerBlob, blob: string, progress: Progress, signal?: AbortSignal): Promise<LayerFile>;
  list(): Promise<LayerFile[]>;
  /** Where the layer's disk is, or will be. */
  pathOf(diffId: string): string;
  /** Files of conversions that nobody does. */
  leftovers(): Promise<string[]>;
  /** Removes the disks of other layers than those to keep. @returns bytes that were freed */
  prune(keep: (diffId: string) => boolean): Promise<number>;
}

/**
 * Opens the folder and removes what a killed engine left half done.
 *
 * @param known layers whose blobs have been proven to have their diff ID. Any other blob must be read even where the
 * disk is there: else an image could name the diff ID of someone else's layer and get that layer's files.
 */
export async function openLayerDisks(folder: string, known: LayerBlob[]): Promise<LayerDisks> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) if (name.endsWith('.tmp')) await rm(path.join(folder, name));
  const proven = new Set(known.map(proof));
  const running = new Map<string, Promise<void>>();
  const turn = semaphore(MAX_CONVERSIONS);
  const diskOf = (diffId: string) => path.join(folder, `${diffId.replace('sha256:', '')}${SUFFIX}`);

  async function work(layer: LayerBlob, blob: string, progress: Progress, signal?: AbortSignal): Promise<void> {
    await progress.step(`Layer ${short(layer.digest)} ${megabytes(layer.size)}`, (detail) =>
      turn(async () => {
        if (await exists(diskOf(layer.diffId))) await proveLayer(layer, blob, { detail, signal });
        else await convertLayer(layer, blob, diskOf(layer.diffId), { detail, signal });
        proven.add(proof(layer));
      }),
    );
  }

  return {
    async ensure(layer, blob, progress, signal) {
      const { diffId } = layer;
      const disk = diskOf(diffId);
      while (!proven.has(proof(layer)) || !(await exists(disk))) {
        signal?.throwIfAborted();
        const other = running.get(diffId);
        if (other) {
          // Another load's blob may be damaged or its user gone; then this one's turn comes.
          await abortable(other, signal).catch(() => undefined);
          continue;
        }
        const mine = work(layer, blob, progress, signal).finally(() => running.delete(diffId));
        running.set(diffId, mine);
        await mine;
      }
      return { diffId, path: disk };
    },

    async list() {
      const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX));
      return names.map((name) => ({
        diffId: `sha256:${name.slice(0, -SUFFIX.length)}`,
        path: path.join(folder, name),
      }));
    },

    pathOf: diskOf,

    async leftovers() {
      const names = await readdir(folder);
      const making = [...running.keys()].map((diffId) => path.basename(diskOf(diffId)));
      return names
        .filter((name) => !name.endsWith(SUFFIX) && !making.some((disk) => name.startsWith(disk)))
        .map((name) => path.join(folder, name));
    },

    async prune(keep) {
      let freed = 0;
      for (const name of await readdir(folder)) {
        if (!name.endsWith(SUFFIX) || keep(`sha256:${name.slice(0, -SUFFIX.length)}`)) continue;
        const file = path.join(folder, name);
        // Two may prune at the same time.
        freed += await stat(file).then(
          ({ size }) => size,
          () => 0,
        );
        await rm(file, { force: true });
      }
      return freed;
    },
  };
}

function proof({ digest, diffId }: LayerBlob): string {
  return `${digest} ${diffId}`;
}

function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

const SUFFIX = '.squashfs';

/** Each one keeps a core and a half busy, and has 64 MiB of buffers. */
const MAX_CONVERSIONS = 2;
