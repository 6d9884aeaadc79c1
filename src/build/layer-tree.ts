import { readTar } from '../../guest-agent/tar/reader.ts';
import type { TarEntry } from '../../guest-agent/tar/entry.ts';
import { layerTree } from '../images/layer-tree.ts';
import { LAYER_LIMITS } from '../images/limits.ts';
import { directoryEntry, insert, split, type Archive, type TreeNode } from './file-tree.ts';
import type { Spool, Spooled } from './spool.ts';

/**
 * Puts a layer over the tree of those below. Bytes stay in the layer until they are asked for.
 *
 * @param open the layer's tar from its beginning, uncompressed
 */
export async function applyLayer(root: TreeNode, open: () => AsyncIterable<Buffer>, spool: Spool): Promise<void> {
  const model = layerTree(LAYER_LIMITS);
  const entries: TarEntry[] = [];
  for await (const { entry } of readTar(open())) {
    entries.push(entry);
    model.add(entry);
  }
  const archive = layerArchive(open, spool);
  const { paths, opaque, implied, whiteouts } = model.plan();
  for (const path of whiteouts) remove(root, path);
  const hiding = [...implied.filter((each) => each.opaque).map(({ path }) => path)];
  for (const index of opaque) hiding.push(...(paths.get(index) ?? []));
  for (const path of hiding) remove(root, path);
  for (const { path } of implied)
    if (find(root, path)?.children === undefined) insertOver(root, path, directory(directoryEntry()));
  const ordered = [...paths].flatMap(([index, names]) => names.map((path) => ({ index, path })));
  const nodes = new Map<number, TreeNode>();
  for (const { index, path } of ordered.sort((a, b) => split(a.path).length - split(b.path).length)) {
    const entry = entries[index];
    if (entry === undefined) continue;
    const made = nodes.get(index) ?? node(entry, archive, index);
    nodes.set(index, made);
    insertOver(root, path, made);
  }
}

function node(entry: TarEntry, archive: Archive, index: number): TreeNode {
  if (entry.type === 'directory') return directory(entry);
  return entry.type === 'file' ? { entry, content: { archive, index } } : { entry };
}

const directory = (entry: TarEntry): TreeNode => ({ entry, children: new Map() });

/** As `insert`, but what is in the way gives way: an upper layer may replace a link by a directory. */
function insertOver(root: TreeNode, path: string, node: TreeNode): void {
  const parts = split(path);
  let at = root;
  for (const part of parts.slice(0, -1)) {
    let child = at.children?.get(part);
    if (child?.children === undefined) {
      child = directory(directoryEntry());
      at.children?.set(part, child);
    }
    at = child;
  }
  insert(at, parts.at(-1) ?? '', node);
}

function find(root: TreeNode, path: string): TreeNode | undefined {
  let at: TreeNode | undefined = root;
  for (const part of split(path)) at = at?.children?.get(part);
  return at;
}

function remove(root: TreeNode, path: string): void {
  const parts = split(path);
  const name = parts.pop();
  if (name !== undefined) find(root, parts.join('/'))?.children?.delete(name);
}

function layerArchive(open: () => AsyncIterable<Buffer>, spool: Spool): Archive {
  const kept = new Map<number, Spooled>();
  return {
    async spool(indexes) {
      if ([...indexes].some((index) => !kept.has(index))) {
        let index = 0;
        for await (const { body } of readTar(open())) {
          if (indexes.has(index) && !kept.has(index)) kept.set(index, await spool.write(body));
          index++;
        }
      }
      return kept;
    },
  };
}
