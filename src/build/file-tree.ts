import { BuildProblem } from './problem.ts';
import { MalformedTar, printable, type TarEntry, tarEntry } from '../../guest-agent/tar/entry.ts';
import type { Spooled } from './spool.ts';

/**
 * Files as data: of a build's context, or of a stage's layers on top of each other. Nothing is ever unpacked on the host, so
 * no name or link in them can lead anywhere. Names are byte strings, as in TarEntry.
 */
export interface TreeNode {
  /** Its name says nothing here. A hard link is its file's node once more. */
  entry: TarEntry;
  /** Of files. */
  content?: Content;
  /** Of directories. */
  children?: Map<string, TreeNode>;
}

/** Where a file's bytes are: an entry of an archive. */
export interface Content {
  archive: Archive;
  /** Position among its entries. */
  index: number;
}

export interface Archive {
  /** The bytes of these entries; reads the archive once more where they have not been kept. */
  spool(indexes: Set<number>): Promise<Map<number, Spooled>>;
}

/** A path that was found, or could be made; links on the way are followed, inside the tree only. */
export interface Resolved {
  parts: string[];
  node: TreeNode | undefined;
}

export function emptyTree(): TreeNode & { children: Map<string, TreeNode> } {
  return { entry: directoryEntry(), children: new Map() };
}

export function directoryEntry(overrides: Partial<TarEntry> = {}): TarEntry {
  return tarEntry({ name: '', type: 'directory', mode: 0o755, ...overrides });
}

/** @param follow whether a link in the last place is followed, too */
export function resolve(root: TreeNode, path: string, follow = true): Resolved {
  const rest = split(path);
  const nodes: TreeNode[] = [root];
  const parts: string[] = [];
  let links = 0;
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === '.') continue;
    if (part === '..') {
      parts.pop();
      if (nodes.length > parts.length + 1) nodes.pop();
      continue;
    }
    // Below what is not there, names are only names.
    const child = nodes.length === parts.length + 1 ? nodes.at(-1)?.children?.get(part) : undefined;
    if (child?.entry.type === 'symlink' && (rest.length > 0 || follow)) {
      if (++links > MAX_LINKS) throw new BuildProblem(`too many links in \`${printable(path)}\``);
      const { linkName } = child.entry;
      rest.unshift(...split(linkName));
      if (linkName.startsWith('/')) {
        parts.length = 0;
        nodes.length = 1;
      }
      continue;
    }
    parts.push(part);
    if (child !== undefined) nodes.push(child);
  }
  return { parts, node: nodes.length === parts.length + 1 ? nodes.at(-1) : undefined };
}

/**
 * Puts a node into a tree that an archive describes, in the archive's order; directories that it only implies are made.
 *
 * @throws MalformedTar for a name that leaves the tree, or goes through what is no directory
 */
export function insert(root: TreeNode, name: string, node: TreeNode): void {
  const parts = safeParts(name);
  const last = parts.pop();
  if (last === undefined) {
    if (node.children !== undefined) root.entry = node.entry;
    return;
  }
  let at = root;
  for (const part of parts) {
    const child = at.children?.get(part) ?? { entry: directoryEntry(), children: new Map<string, TreeNode>() };
    if (child.children === undefined) throw new MalformedTar(`\`${printable(name)}\` below what is no directory`);
    at.children?.set(part, child);
    at = child;
  }
  const known = at.children?.get(last);
  if (known?.children !== undefined && node.children !== undefined) known.entry = node.entry;
  else at.children?.set(last, node);
}

/** The components of an archive's path. @throws MalformedTar */
export function safeParts(name: string): string[] {
  if (name.startsWith('/') || name.includes('\0')) throw new MalformedTar(`name \`${printable(name)}\``);
  const parts = split(name).filter((part) => part !== '.');
  if (parts.includes('..')) throw new MalformedTar(`\`${printable(name)}\` leaves the archive`);
  if (parts.length > DEEPEST) throw new MalformedTar(`\`${printable(name)}\` is deeper than ${DEEPEST} directories`);
  return parts;
}

export const split = (path: string): string[] => path.split('/').filter((part) => part !== '');

/** As Go's filepath.EvalSymlinks. */
const MAX_LINKS = 255;
const DEEPEST = 128;
