import type { Progress } from '../progress.ts';
import { takeBlob } from './add-blob.ts';
import { invalid } from './blobs.ts';
import type { Exclusive } from './exclusive.ts';
import type { ImageSource } from './images.ts';
import type { LayerDisks } from './layer-disks.ts';
import { readImage, readIndex } from './layout.ts';
import { nameInLayout } from './layout-names.ts';
import type { Lease } from './lease.ts';
import { pullImage } from './pull.ts';
import { normalize } from './references.ts';
import { fetchFromDockerArchive } from './skopeo.ts';
import { stackOf } from './stack.ts';
import { openSource, plainArchive } from './source.ts';
import { blobsOf, merged, type Store, type StoredImage } from './store.ts';

export interface LoadContext {
  store: Store;
  lease: Lease;
  disks: LayerDisks;
  /** Pulls of the same blob take turns. */
  fetching: Exclusive;
  progress: Progress;
  signal?: AbortSignal | undefined;
}

/**
 * Brings the images of a source into the store. Digests and sizes are proven as blobs come in, then the layers become
 * disks, and only then does the store hear of the images.
 */
export async function loadImages(source: ImageSource, context: LoadContext): Promise<StoredImage[]> {
  const { store, lease, signal } = context;
  const images = source.kind === 'registry' ? [await pullImage(source, context)] : await readPath(source, context);
  for (const image of images) {
    for (const digest of blobsOf(image)) lease.hold(digest);
    await makeDisks(image, context);
  }
  signal?.throwIfAborted();
  await store.change((known) => merged(known, images));
  return images;
}

async function readPath(
  { path, name = path }: Extract<ImageSource, { kind: 'path' }>,
  context: LoadContext,
): Promise<StoredImage[]> {
  const { store, lease, progress, signal } = context;
  return progress.step(`Read ${name}`, async (detail) => {
    const opened = await openSource({ path, name }, store, lease, signal);
    if (opened.kind === 'docker-archive') {
      const archive = await plainArchive(path, lease.stage, signal);
      const images: StoredImage[] = [];
      for (const [i, names] of opened.names.entries()) {
        const layout = await fetchFromDockerArchive(archive, i, { store, lease, detail, signal });
        images.push(await only(layout, store, names.map(normalize)));
      }
      return images;
    }
    return opened.kind === 'oci-archive'
      ? fromLayout(lease.stage, store.folder, name)
      : fromFolder(path, name, context);
  });
}

/** A folder is the user's own: its blobs are copied. */
async function fromFolder(folder: string, name: string, { store, lease, signal }: LoadContext): Promise<StoredImage[]> {
  const images = await fromLayout(folder, folder, name);
  for (const { manifest, config, layers } of images)
    for (const blob of [manifest, config, ...layers]) await takeBlob(store, lease, folder, blob, signal);
  return images;
}

/**
 * All images of an index, under the names that it gives them.
 *
 * @param layout has the index
 * @param blobs layout that has the blobs
 */
async function fromLayout(layout: string, blobs: string, source: string): Promise<StoredImage[]> {
  const images = new Map<string, StoredImage>();
  const entries = await readIndex(layout);
  if (entries.length === 0) throw invalid('index.json', 'holds no image');
  for (const { descriptor, annotation } of entries) {
    const name = nameInLayout(annotation, source, entries.length);
    const image = await readImage(blobs, descriptor);
    const before = images.get(image.manifest.digest)?.references ?? [];
    images.set(image.manifest.digest, { ...image, references: [...new Set([...before, ...name])] });
  }
  return [...images.values()];
}

/** The one image of a layout that skopeo made; its blobs are in the store. */
async function only(layout: string, store: Store, references: string[]): Promise<StoredImage> {
  const [entry] = await readIndex(layout);
  if (!entry) throw new Error(`skopeo left no image in ${layout}`);
  return { ...(await readImage(store.folder, entry.descriptor)), references: [...new Set(references)] };
}

/** Makes the disks of all layers; the first failure ends the other conversions, and all have ended on return. */
async function makeDisks(image: StoredImage, { lease, disks, progress, signal }: LoadContext): Promise<void> {
  const failure = new AbortController();
  const either = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  const results = await Promise.allSettled(
    stackOf(image.layers).map((disk) => {
      lease.hold(disk.id);
      return disks.ensure(disk, progress, either).catch((error: unknown) => {
        failure.abort(error);
        throw error;
      });
    }),
  );
  signal?.throwIfAborted();
  if (results.some(({ status }) => status === 'rejected')) throw failure.signal.reason;
}
