import { NestError } from '../errors.ts';
import type { Paths } from '../paths.ts';
import type { Progress } from '../progress.ts';
import { blobPath } from './blobs.ts';
import { findImage } from './find.ts';
import { openLayerDisks } from './layer-disks.ts';
import { loadImages } from './load.ts';
import { openStore, type StoredImage } from './store.ts';

/**
 * The images of this host. Only one engine may have them open. Removes what a killed engine left half done: staged
 * loads, blobs without an image, disks without a layer.
 */
export async function openImages(paths: Paths): Promise<Images> {
  const store = await openStore(paths.imageStore);
  const disks = await openLayerDisks(
    paths.layers,
    store.list().flatMap(({ layers }) => layers),
  );
  let loads = 0;

  /** Disks of layers that no image has; while a load runs, its own are among them. */
  const prune = () => disks.prune(new Set(store.list().flatMap(({ image }) => image.layers)));
  await prune();

  return {
    async load(source, progress, signal) {
      loads++;
      try {
        const loaded = await loadImages(source, { store, disks, progress, signal });
        const ids = new Set(loaded.map(({ image }) => image.id));
        return images(store.list()).filter(({ id }) => ids.has(id));
      } catch (error) {
        if (loads === 1) await prune();
        throw error;
      } finally {
        loads--;
      }
    },

    find: (name) =>
      new Promise((resolve) => {
        const found = findImage(store.list(), name);
        resolve(images(store.list()).find(({ id }) => id === found));
      }),

    list: () => Promise.resolve(images(store.list())),

    async layers({ id, references }, progress) {
      const stored = store.list().find(({ image }) => image.id === id);
      if (!stored)
        throw new NestError('image-not-found', `open image \`${references[0] ?? id}\`: not found`, {
          hint: 'Bring it in again with `nest image load`.',
        });
      const once = stored.layers.filter(
        ({ diffId }, i, all) => i === all.findLastIndex((other) => other.diffId === diffId),
      );
      return Promise.all(once.map((layer) => disks.ensure(layer, blobPath(store.folder, layer.digest), progress)));
    },
  };
}

/** An image may be stored under two manifests, with its layers compressed in two ways: it is one image all the same. */
function images(stored: StoredImage[]): Image[] {
  const byId = new Map<string, Image>();
  for (const { image, references } of stored)
    byId.set(image.id, { ...image, references: [...(byId.get(image.id)?.references ?? []), ...references] });
  return [...byId.values()];
}

/** The `config` object of an OCI image configuration, the parts nest uses (image-spec config.md). */
export interface ImageConfig {
  User: string;
  ExposedPorts: Record<string, object>;
  Env: string[];
  Entrypoint: string[] | null;
  Cmd: string[] | null;
  WorkingDir: string;
  Labels: Record<string, string>;
  StopSignal: string;
}

export interface Image {
  /** Digest of the configuration: Docker's image id. */
  id: string;
  /** Normalized: `docker.io/library/debian:12`, `localhost/nest-hello:latest`. */
  references: string[];
  /** RFC 3339. */
  created: string;
  /** Sum of the compressed layers, bytes. */
  size: number;
  architecture: string;
  /** Base layer first. */
  layers: string[];
  config: ImageConfig;
}

export type ImageSource =
  /** A docker archive or an OCI archive, or an OCI layout folder, told apart by content. */
  { kind: 'path'; path: string } | { kind: 'registry'; reference: string };

/** A layer as a read-only squashfs, ready to be hot-plugged. */
export interface LayerFile {
  diffId: string;
  path: string;
}

export interface Images {
  /** Brings images into the store and makes their layers' disks. All or nothing. */
  load(source: ImageSource, progress: Progress, signal?: AbortSignal): Promise<Image[]>;
  /** By any name Docker takes: `hello`, `hello:1`, `host:5000/x/y@sha256:…`, an id or its first 12 digits. Undefined when absent. */
  find(name: string): Promise<Image | undefined>;
  list(): Promise<Image[]>;
  /**
   * The image's disks, base layer first; made now where missing. A layer that an image has twice comes once, in its
   * upper place: overlayfs refuses the same directory twice, and the lower one's content is all in the upper one.
   */
  layers(image: Image, progress: Progress): Promise<LayerFile[]>;
}
