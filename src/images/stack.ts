import { createHash } from 'node:crypto';

/** A disk of an image: one layer, or the lowest ones merged. */
export interface StackDisk<Layer> {
  /** The layer's diff ID; of several the chain ID, which the diff IDs from the base up to there make (image-spec config.md). */
  id: string;
  /** Base first. */
  layers: Layer[];
}

/**
 * The disks of an image, base first. Each layer is one, shared by all images that have it. Of more than MOST_DISKS the lowest
 * become one disk together, which images share that have the same layers up to there: the kernel asks one layer after another
 * for a file, each is a hot-plug, and none is free of memory in the guest. Where the merged ones end moves by whole steps,
 * so that an image built upon another one has its merged disk, too.
 *
 * A layer that an image has twice comes once, in its upper place: overlayfs refuses the same directory twice, and the lower
 * one's content is all in the upper one.
 */
export function stackOf<Layer extends { diffId: string }>(layers: Layer[]): StackDisk<Layer>[] {
  const once = layers.filter(({ diffId }, at) => at === layers.findLastIndex((other) => other.diffId === diffId));
  const merged = once.length <= MOST_DISKS ? 0 : Math.ceil((once.length - MOST_DISKS) / STEP) * STEP;
  const single = once.slice(merged).map((layer) => ({ id: layer.diffId, layers: [layer] }));
  if (merged === 0) return single;
  const lowest = once.slice(0, merged);
  return [{ id: chainId(lowest.map(({ diffId }) => diffId)), layers: lowest }, ...single];
}

/** Ids of the disks of an image. @param diffIds base first */
export const stackIds = (diffIds: string[]): string[] =>
  stackOf(diffIds.map((diffId) => ({ diffId }))).map(({ id }) => id);

function chainId(diffIds: string[]): string {
  return diffIds.reduce((chain, diffId) => `sha256:${createHash('sha256').update(`${chain} ${diffId}`).digest('hex')}`);
}

/** Besides the merged one. Few images have more layers: Docker itself stops at 127. */
const MOST_DISKS = 64;
/** Layers by which the merged disk grows. */
const STEP = 32;
