import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Progress } from '../progress.ts';
import { blobPath, invalid, short, takeBlob } from './blobs.ts';
import type { ImageSource } from './images.ts';
import type { LayerDisks } from './layer-disks.ts';
import { readImage, readIndex, type LayoutImage } from './layout.ts';
import { nameInLayout } from './layout-names.ts';
import { formatReference, normalize, parseReference } from './references.ts';
import { fetchFromDockerArchive, fetchFromRegistry } from './skopeo.ts';
import { openSource, plainArchive } from './source.ts';
import type { Store, StoredImage } from './store.ts';

export interface LoadContext {
  store: Store;
  disks: LayerDisks;
  progress: Progress;
  signal?: AbortSignal | undefined;
}

/**
 * Brings the images of a source into the store. Whatever the source is, it becomes an OCI layout first; there digests
 * and sizes are proven, then the layers become disks, and only then does the store hear of the images.
 */
export async function loadImages(source: ImageSource, context: LoadContext): Promise<StoredImage[]> {
  const { store, progress, signal } = context;
  await using undo = new AsyncDisposableStack();
  const stage = await store.stage();
  undo.defer(() => rm(stage, { recursive: true, force: true }));
  const found =
    source.kind === 'registry' ? await pull(source.reference, stage, context) : await read(source.path, stage, context);

  const blobs = path.join(stage, 'store');
  await mkdir(path.join(blobs, 'blobs/sha256'), { recursive: true });
  const taken = new Set<string>();
  for (const { stored, layout, ours } of found) {
    await progress.step(`Image ${stored.references[0] ?? short(stored.image.id)}`, async () => {
      for (const blob of [stored.manifest, stored.config, ...stored.layers]) {
        if (taken.has(blob.digest)) continue;
        await takeBlob(layout, blobs, blob, { move: ours, signal });
        taken.add(blob.digest);
      }
      await makeDisks(stored, blobs, context);
    });
  }
  signal?.throwIfAborted();
  const images = found.map(({ stored }) => stored);
  await store.commit(blobs, images);
  return images;
}

interface FoundImage {
  stored: StoredImage;
  layout: string;
  /** Whether the layout is a copy that the load may take apart. */
  ours: boolean;
}

async function pull(name: string, stage: string, { progress, signal }: LoadContext): Promise<FoundImage[]> {
  const reference = parseReference(name);
  const layout = path.join(stage, 'pulled');
  await progress.step(`Pull ${formatReference(reference)}`, (detail) =>
    fetchFromRegistry(reference, { stage, layout: 'pulled', detail, signal }),
  );
  return [await only(layout, [formatReference(reference)])];
}

async function read(source: string, stage: string, { progress, signal }: LoadContext): Promise<FoundImage[]> {
  const unpacked = path.join(stage, 'unpacked');
  return progress.step(`Read ${source}`, async (detail) => {
    const opened = await openSource(source, unpacked, signal);
    if (opened.kind === 'docker-archive') {
      const archive = await plainArchive(source, path.join(stage, 'plain.tar'), signal);
      const images: FoundImage[] = [];
      for (const [i, names] of opened.names.entries()) {
        await fetchFromDockerArchive(archive, i, { stage, layout: `image-${i}`, detail, signal });
        images.push(await only(path.join(stage, `image-${i}`), names.map(normalize)));
      }
      return images;
    }
    const ours = opened.kind === 'oci-archive';
    return fromLayout(ours ? unpacked : source, source, ours);
  });
}

/** All images of a layout, under the names that it gives them. */
async function fromLayout(layout: string, source: string, ours: boolean): Promise<FoundImage[]> {
  const images = new Map<string, FoundImage>();
  const entries = await readIndex(layout);
  if (entries.length === 0) throw invalid('index.json', 'holds no image');
  for (const { descriptor, annotation } of entries) {
    const name = nameInLayout(annotation, source, entries.length);
    const image = await readImage(layout, descriptor);
    const before = images.get(image.manifest.digest)?.stored.references ?? [];
    const stored = { ...image, references: [...new Set([...before, ...name])] };
    images.set(image.manifest.digest, { stored, layout, ours });
  }
  return [...images.values()];
}

/** The one image of a layout that skopeo made. */
async function only(layout: string, references: string[]): Promise<FoundImage> {
  const [entry] = await readIndex(layout);
  if (!entry) throw new Error(`skopeo left no image in ${layout}`);
  const image = await readImage(layout, entry.descriptor);
  return { stored: { ...image, references: [...new Set(references)] }, layout, ours: true };
}

/** Makes the disks of all layers; the first failure ends the other conversions, and all have ended on return. */
async function makeDisks(image: LayoutImage, blobs: string, { disks, progress, signal }: LoadContext): Promise<void> {
  const failure = new AbortController();
  const either = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  const results = await Promise.allSettled(
    image.layers.map((layer) =>
      disks.ensure(layer, blobPath(blobs, layer.digest), progress, either).catch((error: unknown) => {
        failure.abort(error);
        throw error;
      }),
    ),
  );
  signal?.throwIfAborted();
  if (results.some(({ status }) => status === 'rejected')) throw failure.signal.reason;
}
