import type { TarEntry } from '../../guest-agent/tar/entry.ts';
import { directoryEntry, type TreeNode } from './file-tree.ts';
import type { Spool, Spooled } from './spool.ts';

/** A file that the build makes. */
export async function spooledFile(spool: Spool, content: Buffer, entry: Partial<TarEntry>): Promise<TreeNode> {
  return spooledNode(await spool.write([content]), entry);
}

/** A file whose bytes are there. */
export function spooledNode(spooled: Spooled, entry: Partial<TarEntry>): TreeNode {
  const archive = { spool: () => Promise.resolve(new Map([[0, spooled]])) };
  return { entry: directoryEntry({ ...entry, type: 'file' }), content: { archive, index: 0 } };
}
