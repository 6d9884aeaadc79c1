import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Progress } from '../progress.ts';
import { short } from './blobs.ts';
import { abortable } from './exclusive.ts';
import type { LayerFile } from './images.ts';
import type { ConvertOptions, LayerBlob } from './layer-blob.ts';
import { convertLayer, proveLayer } from './layer.ts';
import { mergeLayers } from './merge-layers.ts';
import { semaphore } from '../semaphore.ts';
import type { StackDisk } from './stack.ts';
import { megabytes } from './units.ts';

/** The layers' disks of this host: one squashfs per disk of a stack, whatever the number of images and guests. */
export interface LayerDisks {
  /** The disk, made from the layers' blobs unless it is there. Requests for the same one share the work. */
  ensure(disk: StackDisk<LayerBlob>, progress: Progress, signal?: AbortSignal): Promise<LayerFile>;
  list(): Promise<LayerFile[]>;
  /** Where the disk is, or will be. */
  pathOf(id: string): string;
  /** Files of conversions that nobody does. */
  leftovers(): Promise<string[]>;
  /** Removes other disks than those to keep. @returns bytes that were freed */
  prune(keep: (id: string) => boolean): Promise<number>;
}

/**
 * Opens the folder and removes what a killed engine left half done.
 *
 * @param known layers whose blobs have been proven to have their diff ID. Any other blob must be read even where the
 * disk is there: else an image could name the diff ID of someone else's layer and get that layer's files.
 * @param blobOf path of a blob by its digest
 */
export async function openLayerDisks(
  folder: string,
  known: LayerBlob[],
  blobOf: (digest: string) => string,
): Promise<LayerDisks> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) if (name.endsWith('.tmp')) await rm(path.join(folder, name));
  const proven = new Set(known.map(proof));
  const running = new Map<string, Promise<void>>();
  const turn = semaphore(MAX_CONVERSIONS);
  const diskOf = (id: string) => path.join(folder, `${id.replace('sha256:', '')}${SUFFIX}`);

  async function work(disk: StackDisk<LayerBlob>, progress: Progress, signal?: AbortSignal): Promise<void> {
    const target = diskOf(disk.id);
    await progress.step(titleOf(disk), (detail) =>
      turn(async () => {
        if (await exists(target)) {
          for (const layer of disk.layers)
            if (!proven.has(proof(layer))) await proveLayer(layer, blobOf(layer.digest), { detail, signal });
        } else await make(disk, blobOf, target, { detail, signal });
        for (const layer of disk.layers) proven.add(proof(layer));
      }),
    );
  }

  return {
    async ensure(disk, progress, signal) {
      const { id, layers } = disk;
      while (!layers.every((layer) => proven.has(proof(layer))) || !(await exists(diskOf(id)))) {
        signal?.throwIfAborted();
        const other = running.get(id);
        if (other) {
          // Another load's blob may be damaged or its user gone; then this one's turn comes.
          await abortable(other, signal).catch(() => undefined);
          continue;
        }
        const mine = work(disk, progress, signal).finally(() => running.delete(id));
        running.set(id, mine);
        await mine;
      }
      return { diffId: id, path: diskOf(id) };
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

async function make(
  { id, layers }: StackDisk<LayerBlob>,
  blobOf: (digest: string) => string,
  target: string,
  options: ConvertOptions,
): Promise<void> {
  const [layer, ...others] = layers;
  if (layer === undefined || others.length > 0) await mergeLayers(layers, blobOf, target, { ...options, id });
  else await convertLayer(layer, blobOf(layer.digest), target, options);
}

function titleOf({ id, layers }: StackDisk<LayerBlob>): string {
  const size = megabytes(layers.reduce((sum, layer) => sum + layer.size, 0));
  const [{ digest } = { digest: id }, ...others] = layers;
  return others.length === 0 ? `Layer ${short(digest)} ${size}` : `Merge the lowest ${layers.length} layers, ${size}`;
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
