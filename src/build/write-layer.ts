import { padding } from '../../guest-agent/tar/entry.ts';
import { tarEnd, tarHeader } from '../../guest-agent/tar/writer.ts';
import type { Placed } from './copy.ts';
import type { TreeNode } from './file-tree.ts';
import type { Spooled } from './spool.ts';

/**
 * The tar of a layer, sorted: the same files make the same bytes.
 *
 * @param newest seconds since 1970; later times become this one
 */
export async function* writeLayer(placed: Map<string, Placed>, newest: number): AsyncGenerator<Buffer> {
  const bytes = await contents([...placed.values()].flatMap(({ node }) => node ?? []));
  const names = new Map<TreeNode, string>();
  for (const [path, { entry, node }] of [...placed].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = entry.type === 'directory' ? `${path}/` : path;
    const dated = { ...entry, name, mtime: Math.min(entry.mtime, newest) };
    const before = node?.children === undefined && node !== undefined ? names.get(node) : undefined;
    if (before !== undefined) {
      yield tarHeader({ ...dated, type: 'hard-link', linkName: before, size: 0, xattrs: new Map() });
      continue;
    }
    if (node !== undefined) names.set(node, name);
    const content = node && bytes.get(node);
    yield tarHeader({ ...dated, size: content?.size ?? 0 });
    if (content === undefined) continue;
    yield* content.read();
    yield Buffer.alloc(padding(content.size));
  }
  yield tarEnd();
}

/** The bytes of these files; each archive is read once for all that it holds of them. */
export async function contents(nodes: TreeNode[]): Promise<Map<TreeNode, Spooled>> {
  const found = new Map<TreeNode, Spooled>();
  const files = nodes.flatMap((node) => (node.content === undefined ? [] : { node, content: node.content }));
  for (const archive of new Set(files.map(({ content }) => content.archive))) {
    const wanted = files.filter(({ content }) => content.archive === archive);
    const spooled = await archive.spool(new Set(wanted.map(({ content }) => content.index)));
    for (const { node, content } of wanted) {
      const bytes = spooled.get(content.index);
      if (bytes !== undefined) found.set(node, bytes);
    }
  }
  return found;
}
