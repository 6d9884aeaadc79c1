import { createReadStream } from 'node:fs';
import { silent, type Progress } from '../progress.ts';
import { addBlob, hasBlob, type BlobId } from './add-blob.ts';
import { blobPath } from './blobs.ts';
import type { BuildCache, CachedStep } from './build-cache.ts';
import { decompressed } from './decompress.ts';
import type { LayerFile } from './images.ts';
import type { LayerDisks } from './layer-disks.ts';
import type { LayerBlob } from './layer-blob.ts';
import { readImage } from './layout.ts';
import { stackOf } from './stack.ts';
import { merged, type Store, type StoredImage } from './store.ts';

/** An image that is made here, layer by layer. Until it has them, its layers live as long as this does. */
export interface Assembly extends AsyncDisposable {
  /** A folder for files of the work, on the store's file system. */
  readonly stage: string;
  /** Adds any bytes as a blob. */
  addBlob(source: AsyncIterable<Buffer>): Promise<BlobId>;
  /**
   * Adds a layer, and makes its disk.
   *
   * @param tar the layer's archive as image-spec layer.md has it, not compressed.
   * @throws NestError `image-invalid`, `no-room`, `tool-missing`
   */
  addLayer(tar: AsyncIterable<Buffer>, progress: Progress, signal?: AbortSignal): Promise<LayerBlob>;
  /** A layer's tar, not compressed. */
  openLayer(layer: LayerBlob): AsyncIterable<Buffer>;
  /** The layers' disks, base first, ready to be hot-plugged. */
  disks(layers: LayerBlob[], signal?: AbortSignal): Promise<LayerFile[]>;
  /** What a build did before under this key; its layer lives as long as this does. */
  cached(key: string): Promise<CachedStep | undefined>;
  /** For builds to come. */
  remember(key: string, step: CachedStep): Promise<void>;
  /** Keeps the layers of an image of the store, to build upon; base first. Undefined when there is no such image. */
  layersOf(imageId: string): LayerBlob[] | undefined;
  /**
   * Adds an image, and gives it its names, away from whoever had them.
   *
   * @param config an image configuration (image-spec config.md); `rootfs` is filled in from `layers`. The same value and
   * the same layers make the same image id.
   * @param references normalized names; none makes an image without a name
   * @returns the image's id
   * @throws NestError `image-invalid`
   */
  addImage(config: Record<string, unknown>, layers: LayerBlob[], references: string[]): Promise<string>;
}

export async function assemble(store: Store, disks: LayerDisks, cache: BuildCache): Promise<Assembly> {
  const lease = await store.lease();
  const hold = (layers: LayerBlob[]) => {
    for (const { digest, diffId } of layers) {
      lease.hold(digest);
      lease.hold(diffId);
    }
  };
  return {
    stage: lease.stage,
    addBlob: (source) => addBlob(store, lease, source),
    async addLayer(tar, progress, signal) {
      const blob = await addBlob(store, lease, tar);
      const layer = { ...blob, diffId: blob.digest, mediaType: LAYER };
      hold([layer]);
      await disks.ensure({ id: layer.diffId, layers: [layer] }, progress, signal);
      return layer;
    },
    openLayer: ({ digest }) => decompressed(createReadStream(blobPath(store.folder, digest)) as AsyncIterable<Buffer>),
    async disks(layers, signal) {
      const stack = stackOf(layers);
      for (const { id } of stack) lease.hold(id);
      return Promise.all(stack.map((disk) => disks.ensure(disk, silent, signal)));
    },
    async cached(key) {
      const step = cache.get(key);
      if (step?.layer) hold([step.layer]);
      return step?.layer && !(await hasBlob(store, step.layer)) ? undefined : step;
    },
    remember: (key, step) => cache.put(key, step),
    layersOf(imageId) {
      const layers = store.list().find(({ image }) => image.id === imageId)?.layers;
      hold(layers ?? []);
      return layers;
    },
    async addImage(config, layers, references) {
      hold(layers);
      const rootfs = { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) };
      const document = async (value: unknown) => addBlob(store, lease, [Buffer.from(JSON.stringify(value))]);
      const configBlob = await document({ ...config, rootfs });
      const manifestBlob = await document({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: { mediaType: CONFIG, ...configBlob },
        layers: layers.map(({ mediaType, digest, size }) => ({ mediaType: ociType(mediaType), digest, size })),
      });
      const image: StoredImage = {
        ...(await readImage(store.folder, { mediaType: MANIFEST, annotations: {}, ...manifestBlob })),
        references,
      };
      await store.change((images) => merged(images, [image]));
      return image.image.id;
    },
    [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose](),
  };
}

/** Docker's name of a layer's type in the specification's words: a manifest speaks one language. */
function ociType(mediaType: string): string {
  return mediaType.startsWith('application/vnd.docker.')
    ? `${LAYER}${/[.+](gzip|zstd)$/.exec(mediaType)?.[0].replace('.', '+') ?? ''}`
    : mediaType;
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';
