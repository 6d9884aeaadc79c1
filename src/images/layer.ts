import { createHash } from 'node:crypto';
import { readTar } from '../../guest-agent/tar/reader.ts';
import { inspectLayer } from './inspect-layer.ts';
import { expectDiffId, withBlob, type ConvertOptions, type LayerBlob } from './layer-blob.ts';
import { LAYER_LIMITS } from './limits.ts';
import { rewriteLayer } from './rewrite.ts';
import { packSquashfs } from './sqfstar.ts';

/**
 * Makes the disk of a layer: blob → decompress → check → rewrite → squashfs. The blob is read twice. The first pass
 * proves the diff ID and judges every entry before sqfstar sees a byte, and learns what only the end of an archive tells:
 * which directories are opaque, which entries replace others. Memory does not grow with the layer's bytes.
 *
 * @param blob path of the blob, none, gzip or zstd compressed.
 * @throws NestError `image-invalid`, `no-room`, `tool-missing`
 */
export function convertLayer(layer: LayerBlob, blob: string, target: string, options: ConvertOptions = {}) {
  return withBlob(layer, blob, options, async (pass) => {
    const hash = createHash('sha256');
    const { plan, newest, size } = await inspectLayer(pass('checked', hash), options.limits ?? LAYER_LIMITS);
    expectDiffId(layer, hash);
    await packSquashfs(rewriteLayer(readTar(pass('packed')), plan), target, {
      id: layer.diffId,
      newest,
      size,
      signal: options.signal,
    });
  });
}

/** Proves that a blob is the layer it is said to be, where its disk is there already. */
export function proveLayer(layer: LayerBlob, blob: string, options: ConvertOptions = {}) {
  return withBlob(layer, blob, options, async (pass) => {
    const hash = createHash('sha256');
    const bytes = pass('checked', hash);
    while ((await bytes.next()).done !== true);
    expectDiffId(layer, hash);
  });
}
