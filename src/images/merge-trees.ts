import { isDirectory, type Directory } from './layer-tree.ts';
import { MalformedTar } from '../../guest-agent/tar/entry.ts';
import type { LayerLimits } from './limits.ts';

/**
 * Puts a layer's tree over the tree of all layers below it, in place, as overlayfs shows them on top of each other. Nothing
 * is below the result, so that nothing is left to be hidden: it has no whiteouts and no opaque directories.
 *
 * @throws MalformedTar for a directory with more names than fit
 */
export function putOver(lower: Directory, upper: Directory, limits: LayerLimits): void {
  lower.index = upper.index;
  for (const name of upper.whiteouts) lower.children.delete(name);
  for (const [name, node] of upper.children) {
    const before = lower.children.get(name);
    if (!isDirectory(node)) lower.children.set(name, node);
    else if (isDirectory(before) && !node.opaque) putOver(before, node, limits);
    else {
      const whole: Directory = { ...node, children: new Map(), whiteouts: new Set(), opaque: false };
      putOver(whole, node, limits);
      lower.children.set(name, whole);
    }
  }
  if (lower.children.size > limits.entriesPerDirectory)
    throw new MalformedTar(`more than ${limits.entriesPerDirectory} entries in a directory of all layers together`);
}
