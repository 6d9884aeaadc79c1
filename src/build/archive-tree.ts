import { MalformedTar, printable, type TarEntry } from '../../guest-agent/tar/entry.ts';
import { readTar, type TarItem } from '../../guest-agent/tar/reader.ts';
import { emptyTree, insert, resolve, type Archive, type TreeNode } from './file-tree.ts';
import type { Spool, Spooled } from './spool.ts';

/**
 * The tree of an archive whose bytes are kept in `spool` as they come by: a build's context, or what ADD unpacks.
 *
 * @throws MalformedTar
 */
export async function archiveTree(source: AsyncIterable<Buffer>, spool: Spool): Promise<TreeNode> {
  const kept = new Map<number, Spooled>();
  const archive: Archive = { spool: () => Promise.resolve(kept) };
  const root = emptyTree();
  let index = 0;
  let size = 0;
  for await (const item of readTar(source)) {
    if (index === MAX_ENTRIES) throw new MalformedTar(`more than ${MAX_ENTRIES} entries`);
    size += item.entry.size;
    if (size > MAX_SIZE) throw new MalformedTar(`more than ${MAX_SIZE} bytes`);
    insert(root, item.entry.name, nodeOf(root, item, archive, index));
    if (item.entry.type === 'file') kept.set(index, await spool.write(item.body));
    index++;
  }
  return root;
}

function nodeOf(root: TreeNode, { entry }: TarItem, archive: Archive, index: number): TreeNode {
  if (entry.type === 'hard-link') return linked(root, entry);
  if (entry.type === 'directory') return { entry, children: new Map() };
  return entry.type === 'file' ? { entry, content: { archive, index } } : { entry };
}

function linked(root: TreeNode, { name, linkName }: TarEntry): TreeNode {
  const { node } = resolve(root, linkName, false);
  if (node !== undefined && node.children === undefined) return node;
  throw new MalformedTar(`hard link \`${printable(name)}\` to \`${printable(linkName)}\`: no such file`);
}

const MAX_ENTRIES = 1_000_000;
const MAX_SIZE = 32 * 1024 ** 3;
