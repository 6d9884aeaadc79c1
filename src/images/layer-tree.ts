import { NAME_MAX, PATH_MAX, type LayerLimits } from './limits.ts';
import { MalformedTar, printable, type TarEntry } from '../../guest-agent/tar/entry.ts';
import { whiteoutOf } from './whiteouts.ts';

/** What a layer's archive amounts to when all its entries are applied in order, as Docker applies them. */
export interface LayerPlan {
  /** By the index of an archive entry, the paths under which it stays; several are hard links. Others are gone. */
  paths: Map<number, string[]>;
  /** Indexes of directories that hide what is below. */
  opaque: Set<number>;
  /** Directories that the archive only implies, parents first. */
  implied: { path: string; opaque: boolean }[];
  /** Paths that this layer removes from those below. */
  whiteouts: string[];
}

/**
 * A model of the layer's directory tree, fed with the archive's headers. It decides what replaces what and refuses
 * whatever could reach outside the layer; the rewriting pass then needs no judgement.
 *
 * @param first index of the archive's first entry
 */
export function layerTree(limits: LayerLimits, first = 0) {
  const root: Directory = emptyDirectory();
  let count = 0;
  let next = first;

  /** Follows `parts`, creating directories that only children imply. Symbolic links are never followed. */
  function parentOf(parts: string[], path: string): Directory {
    let at = root;
    for (const part of parts) {
      if (whiteoutOf(part) !== undefined) throw new MalformedTar(`\`${printable(path)}\` below a whiteout`);
      const child = at.children.get(part);
      if (child === undefined) at = put(at, part, emptyDirectory(), path);
      else if (isDirectory(child)) at = child;
      else throw new MalformedTar(`\`${printable(path)}\` below \`${printable(part)}\`, which is no directory`);
    }
    return at;
  }

  function put<T extends Node>(parent: Directory, name: string, node: T, path: string): T {
    if (!parent.children.has(name)) admit(parent, path);
    parent.children.set(name, node);
    return node;
  }

  function admit(parent: Directory, path: string): void {
    if (++count > limits.entries) throw new MalformedTar(`more than ${limits.entries} entries`);
    if (parent.children.size + parent.whiteouts.size >= limits.entriesPerDirectory)
      throw new MalformedTar(`more than ${limits.entriesPerDirectory} entries beside \`${printable(path)}\``);
  }

  function find(path: string): Node | undefined {
    let at: Node | undefined = root;
    for (const part of components(path, limits)) at = isDirectory(at) ? at.children.get(part) : undefined;
    return at;
  }

  function add(entry: TarEntry): void {
    const index = next++;
    const parts = components(entry.name, limits);
    const name = parts.pop();
    if (name === undefined) {
      if (entry.type !== 'directory') throw new MalformedTar('root that is no directory');
      return;
    }
    const whiteout = whiteoutOf(name);
    if (whiteout?.kind === 'ignored' || (parts[0] !== undefined && whiteoutOf(parts[0])?.kind === 'ignored')) return;
    const parent = parentOf(parts, entry.name);
    const known = parent.children.get(name);
    if (whiteout?.kind === 'opaque') {
      if (parent === root) throw new MalformedTar('opaque root: overlayfs cannot hide a whole image');
      parent.opaque = true;
    } else if (whiteout?.kind === 'name') {
      if (!parent.whiteouts.has(whiteout.name)) admit(parent, entry.name);
      parent.whiteouts.add(whiteout.name);
    } else if (entry.type === 'directory') {
      if (known !== undefined && isDirectory(known)) known.index = index;
      else put(parent, name, directory(index), entry.name);
    } else if (entry.type === 'hard-link') {
      const target = find(entry.linkName);
      if (target === undefined || isDirectory(target))
        throw new MalformedTar(
          `hard link \`${printable(entry.name)}\` to \`${printable(entry.linkName)}\`: no such file`,
        );
      put(parent, name, target, entry.name);
    } else {
      put(parent, name, { index }, entry.name);
    }
  }

  return { add, root, plan: (): LayerPlan => planOf(root) };
}

/** A file's node is its inode: hard links share it. */
interface Inode {
  index: number;
}

export interface Directory extends Inode {
  children: Map<string, Node>;
  whiteouts: Set<string>;
  opaque: boolean;
}

type Node = Inode | Directory;

/** The components of an archive's path; `./a//b/` is `a/b`, the root is no component at all. */
function components(path: string, limits: LayerLimits): string[] {
  const refuse = (why: string) => new MalformedTar(`path \`${printable(path)}\`: ${why}`);
  if (path === '') throw refuse('empty');
  if (path.startsWith('/')) throw refuse('absolute');
  if (path.length > PATH_MAX) throw refuse(`longer than ${PATH_MAX} bytes`);
  if (path.includes('\0')) throw refuse('holds a zero byte');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw refuse('leaves the layer with `..`');
  if (parts.length > limits.depth) throw refuse(`deeper than ${limits.depth} directories`);
  if (parts.some((part) => part.length > NAME_MAX)) throw refuse(`a name longer than ${NAME_MAX} bytes`);
  return parts;
}

/**
 * A whiteout concerns only the layers below. Where this layer has the same name too, the name stays; a directory then
 * hides what is below it.
 */
export function planOf(root: Directory): LayerPlan {
  const plan: LayerPlan = { paths: new Map(), opaque: new Set(), implied: [], whiteouts: [] };
  const visit = (at: Directory, prefix: string): void => {
    for (const name of at.whiteouts) {
      const same = at.children.get(name);
      if (same === undefined) plan.whiteouts.push(prefix + name);
      else if (isDirectory(same)) same.opaque = true;
    }
    for (const [name, node] of at.children) {
      const path = prefix + name;
      const opaque = isDirectory(node) && node.opaque;
      if (node.index === IMPLIED) plan.implied.push({ path, opaque });
      else if (!plan.paths.get(node.index)?.push(path)) plan.paths.set(node.index, [path]);
      if (opaque) plan.opaque.add(node.index);
      if (isDirectory(node)) visit(node, `${path}/`);
    }
  };
  visit(root, '');
  return plan;
}

/** One that no archive lists. */
export const emptyDirectory = (): Directory => directory(IMPLIED);

function directory(index: number): Directory {
  return { index, children: new Map(), whiteouts: new Set(), opaque: false };
}

export function isDirectory(node: Node | undefined): node is Directory {
  return node !== undefined && 'children' in node;
}

const IMPLIED = -1;
