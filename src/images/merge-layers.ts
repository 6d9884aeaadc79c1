import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { MalformedTar } from '../../guest-agent/tar/entry.ts';
import { readTar, type TarItem } from '../../guest-agent/tar/reader.ts';
import { inspectLayer } from './inspect-layer.ts';
import { expectDiffId, layerBytes, withBlob, type ConvertOptions, type LayerBlob } from './layer-blob.ts';
import { emptyDirectory, planOf } from './layer-tree.ts';
import { LAYER_LIMITS } from './limits.ts';
import { putOver } from './merge-trees.ts';
import { rewriteLayer } from './rewrite.ts';
import { packSquashfs } from './sqfstar.ts';

/**
 * Makes one disk of the lowest layers of an image. Each blob is read twice, as a single layer's is (layer.ts): the first
 * pass proves and judges it, and puts its tree over those below; the second writes the files that have stayed.
 *
 * @param layers base first
 * @param blobOf path of a blob by its digest
 * @param id of the disk
 * @throws NestError `image-invalid`, `no-room`, `tool-missing`
 */
export async function mergeLayers(
  layers: LayerBlob[],
  blobOf: (digest: string) => string,
  target: string,
  { id, ...options }: ConvertOptions & { id: string },
): Promise<void> {
  const { limits = LAYER_LIMITS, signal } = options;
  const root = emptyDirectory();
  const total = { entries: 0, size: 0, newest: 0 };
  for (const layer of layers)
    await withBlob(layer, blobOf(layer.digest), options, async (pass) => {
      const hash = createHash('sha256');
      const { root: upper, ...found } = await inspectLayer(pass('checked', hash), limits, total.entries);
      expectDiffId(layer, hash);
      total.entries += found.entries;
      total.size += found.size;
      total.newest = Math.max(total.newest, found.newest);
      if (total.entries > limits.entries)
        throw new MalformedTar(`more than ${limits.entries} entries up to this layer`);
      putOver(root, upper, limits);
    });
  const files = rewriteLayer(entriesOf(layers, blobOf, options), planOf(root));
  await packSquashfs(files, target, { id, newest: total.newest, size: total.size, signal });
}

/** Of all archives, one after another. */
async function* entriesOf(
  layers: LayerBlob[],
  blobOf: (digest: string) => string,
  options: ConvertOptions,
): AsyncGenerator<TarItem> {
  for (const layer of layers) {
    await using file = await open(blobOf(layer.digest), 'r');
    yield* readTar(layerBytes(layer, file, { ...options, verb: 'packed' }));
  }
}
