import type { Paths } from '../paths.ts';
import type { Progress } from '../progress.ts';
import { assemble, type Assembly } from './assemble.ts';
import { blobPath } from './blobs.ts';
import { checkStore, type StoreCheck } from './check.ts';
import { openBuildCache } from './build-cache.ts';
import { exclusive } from './exclusive.ts';
import { findImage, imageNotFound } from './find.ts';
import type { Image } from './image.ts';
import { openLayerDisks } from './layer-disks.ts';
import { loadImages } from './load.ts';
import { removed, tagged, type ImageUser } from './names.ts';
import { pushImage } from './push.ts';
import { normalize } from './references.ts';
import { saveImages } from './save.ts';
import { stackIds, stackOf } from './stack.ts';
import { blobsOf, openStore, type StoredImage } from './store.ts';

export type { Assembly } from './assemble.ts';
export type { ImageConfig } from './config.ts';
export type { Image } from './image.ts';
export type { LayerBlob } from './layer-blob.ts';
export { familiarName, normalize, parseReference } from './references.ts';
export type { ImageUser } from './names.ts';

/**
 * The images of this host. Only one engine may have them open. Removes what a killed engine left half done: staged
 * loads, disks without a layer, and what failed pulls left a day ago.
 */
export async function openImages(paths: Paths): Promise<Images> {
  const cache = await openBuildCache(paths.buildCache);
  const store = await openStore(paths.imageStore, () => cache.layers().map(({ digest }) => digest));
  const disks = await openLayerDisks(
    paths.layers,
    store.list().flatMap(({ layers }) => layers),
    (digest) => blobPath(store.folder, digest),
  );
  const fetching = exclusive();
  /** Removes disks of layers that neither an image, of these, nor the build cache nor work in progress has. */
  const pruneDisks = (left = store.list()) => {
    const images = left.flatMap(({ image }) => stackIds(image.layers));
    const kept = new Set([...images, ...cache.layers().map(({ diffId }) => diffId)]);
    return disks.prune((id) => kept.has(id) || store.leased(id));
  };
  const find = (name: string) => {
    const id = findImage(store.list(), name)?.id;
    return distinct(store.list()).find((image) => image.id === id);
  };
  await pruneDisks();

  return {
    async load(source, progress, signal) {
      try {
        await using lease = await store.lease();
        const loaded = await loadImages(source, { store, lease, disks, fetching, progress, signal });
        const ids = new Set(loaded.map(({ image }) => image.id));
        return distinct(store.list()).filter(({ id }) => ids.has(id));
      } catch (error) {
        await pruneDisks();
        throw error;
      }
    },

    async assemble() {
      const assembly = await assemble(store, disks, cache);
      return {
        ...assembly,
        async [Symbol.asyncDispose]() {
          await assembly[Symbol.asyncDispose]();
          await pruneDisks();
        },
      };
    },

    find: (name) => Promise.resolve().then(() => find(name)),

    list: () => Promise.resolve(distinct(store.list())),

    async layers({ id, references }, progress) {
      const stored = store.list().find(({ image }) => image.id === id);
      if (!stored) throw imageNotFound(references[0] ?? id);
      return Promise.all(stackOf(stored.layers).map((disk) => disks.ensure(disk, progress)));
    },

    save: (names) => saveImages(store, names),

    async push(name, { progress, signal, authFile }) {
      const stored = store.list().find(({ references }) => references.includes(normalize(name)));
      if (!stored) throw imageNotFound(name);
      return pushImage(store, stored, name, { progress, signal, authFile });
    },

    async tag(name, reference) {
      const found = findImage(store.list(), name);
      if (!found) throw imageNotFound(name);
      await store.change((images) => tagged(images, found.id, normalize(reference)));
    },

    async remove(name, { force, users }) {
      const found = findImage(store.list(), name);
      if (!found) throw imageNotFound(name);
      const gone = store.list().filter(({ image }) => image.id === found.id);
      const removal = removed(store.list(), found, { force, users: users(found.id) });
      // Disks first: they can be made again, and a full disk has no room for the index before.
      if (removal.deleted) await pruneDisks(removal.images);
      await store.change((images) => removed(images, found, { force, users: users(found.id) }).images);
      if (removal.deleted) await store.drop(new Set(gone.flatMap(blobsOf)));
      return { untagged: removal.untagged, deleted: removal.deleted ? [found.id] : [] };
    },

    diskPath: (id) => disks.pathOf(id),

    blobPath: (digest) => blobPath(store.folder, digest),

    check: (options) => checkStore(store, disks, options),

    reclaimable(ids) {
      const all = store.list();
      const kept = new Set(all.filter(({ image }) => !ids.has(image.id)).flatMap(blobsOf));
      const blobs = all.flatMap(({ manifest, config, layers }) => [manifest, config, ...layers]);
      const freed = new Map(blobs.filter(({ digest }) => !kept.has(digest)).map(({ digest, size }) => [digest, size]));
      return freed.values().reduce((sum, size) => sum + size, 0);
    },

    cachedSteps() {
      const owned = new Set(store.list().flatMap(blobsOf));
      const disksOfImages = new Set(store.list().flatMap(({ image }) => stackIds(image.layers)));
      return cache.entries().map(([key, { created, layer }]) => ({
        key,
        created,
        shared: layer !== null && owned.has(layer.digest),
        layer: layer && {
          digest: layer.digest,
          size: layer.size,
          disk: disksOfImages.has(layer.diffId) ? null : disks.pathOf(layer.diffId),
        },
      }));
    },

    async pruneCache() {
      const layers = cache.layers();
      await cache.clear();
      const gone = new Map(layers.map((layer) => [layer.digest, layer.size]));
      for (const digest of gone.keys()) if (store.owns(digest) || store.leased(digest)) gone.delete(digest);
      await store.drop(gone.keys());
      return [...gone.values()].reduce((sum, size) => sum + size, await pruneDisks());
    },

    async prune(unwanted) {
      const before = distinct(store.list());
      const wanted = (images: StoredImage[]) => images.filter((each) => !unwanted(each.image, each.references));
      const disksFreed = await pruneDisks(wanted(store.list()));
      await store.change(wanted);
      const kept = new Set(store.list().map(({ image }) => image.id));
      const freed = disksFreed + (await store.collect());
      return { removed: before.filter(({ id }) => !kept.has(id)), freed };
    },
  };
}

/** An image may be stored under two manifests, with its layers compressed in two ways: it is one image all the same. */
function distinct(stored: StoredImage[]): Image[] {
  const byId = new Map<string, Image>();
  for (const { image, references } of stored) {
    const { references: names = [], digests = [] } = byId.get(image.id) ?? {};
    const all = { references: [...names, ...references], digests: [...digests, ...image.digests] };
    byId.set(image.id, { ...image, ...all });
  }
  return [...byId.values()];
}

export type ImageSource =
  /**
   * A docker archive or an OCI archive, or an OCI layout folder, told apart by content.
   *
   * `name` is what the user calls it, where that is not its path: for messages, and for images without a name.
   */
  | { kind: 'path'; path: string; name?: string }
  | {
      kind: 'registry';
      reference: string;
      /** An auth.json (containers-auth.json(5)) in place of the user's own. */
      authFile?: string | undefined;
    };

/** A layer as a read-only squashfs, or several merged, ready to be hot-plugged. */
export interface LayerFile {
  /** The layer's diff ID, or the chain ID of several. */
  diffId: string;
  path: string;
}

/** A step of a build that the cache holds. */
export interface CacheEntry {
  /** 64 hex digits. */
  key: string;
  /** RFC 3339. */
  created: string;
  /** True when an image has its layer. */
  shared: boolean;
  /** Null where the step changed no file. */
  layer: {
    digest: string;
    /** Bytes of the blob. */
    size: number;
    /** Its disk's path where no image has that. */
    disk: string | null;
  } | null;
}

export interface Images {
  /** Brings images into the store and makes their layers' disks. All or nothing. */
  load(source: ImageSource, progress: Progress, signal?: AbortSignal): Promise<Image[]>;
  /** Begins an image that is made here. */
  assemble(): Promise<Assembly>;
  /** By any name Docker takes: `hello`, `hello:1`, `host:5000/x/y@sha256:…`, an id or its first 12 digits. Undefined when absent. */
  find(name: string): Promise<Image | undefined>;
  list(): Promise<Image[]>;
  /** The image's disks (stack.ts), base layer first; made now where missing. */
  layers(image: Image, progress: Progress): Promise<LayerFile[]>;
  /** Images as one archive that docker, podman, skopeo and OCI tools read. @throws NestError `image-not-found` */
  save(names: string[]): Promise<AsyncGenerator<Buffer>>;
  /**
   * Sends an image to the registry of its name.
   *
   * @returns the manifest's digest there
   * @throws NestError `image-not-found`, `unauthorized`, `registry-failed`
   */
  push(
    name: string,
    options: { progress: Progress; signal?: AbortSignal; authFile?: string | undefined },
  ): Promise<string>;
  /** Gives an image one more name, away from whoever had it. @throws NestError `image-not-found`, `invalid-input` */
  tag(name: string, reference: string): Promise<void>;
  /**
   * Takes a name, or all names of an id, away; an image without names goes, and with it the blobs and disks that no other
   * image has.
   *
   * @param users who was made from the image with an id
   * @throws NestError `image-not-found`, `conflict`
   */
  remove(
    name: string,
    options: { force: boolean; users: (id: string) => ImageUser[] },
  ): Promise<{ untagged: string[]; deleted: string[] }>;
  /** Reads everything and proves it. @param repair removes what is damaged */
  check(options: { repair: boolean; progress: Progress; signal?: AbortSignal }): Promise<StoreCheck>;
  /** Where a disk is, once it is made. */
  diskPath(id: string): string;
  /** Where a blob is. */
  blobPath(digest: string): string;
  /** Bytes of blobs that would go with these images. */
  reclaimable(ids: Set<string>): number;
  /** What builds have done. */
  cachedSteps(): CacheEntry[];
  /** Forgets what builds have done. @returns bytes that were freed; layers of images stay */
  pruneCache(): Promise<number>;
  /**
   * Removes unwanted images and everything that belongs to none.
   *
   * @returns those that went, and the bytes that blobs and disks had
   */
  prune(unwanted: (image: Image, references: string[]) => boolean): Promise<{ removed: Image[]; freed: number }>;
}
