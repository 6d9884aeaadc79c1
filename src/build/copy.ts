import { BuildProblem } from './problem.ts';
import { printable, type TarEntry } from '../../guest-agent/tar/entry.ts';
import { directoryEntry, resolve, type TreeNode } from './file-tree.ts';
import type { Match } from './glob.ts';

export interface CopyOptions {
  /** Absolute. A slash at its end means a directory. */
  target: string;
  /** Who owns the copies; undefined: who owned the originals. */
  owner: { uid: number; gid: number } | undefined;
  /** Whether `--chown` says so: then what ADD unpacks is theirs, too. */
  chown: boolean;
  /** Permission bits of all copies. */
  mode: number | undefined;
  /** Seconds since 1970, of directories that are made. */
  now: number;
}

/** An entry of the layer that COPY makes. */
export interface Placed {
  entry: TarEntry;
  /** What is copied; the same node in two places is a file with two names. */
  node: TreeNode | undefined;
}

/**
 * Where everything goes, by path, with the directories above as they are or are made. Docker's rules: of a directory its
 * content is copied; a file goes into a target that ends in a slash or is a directory, and otherwise becomes the target.
 *
 * @throws BuildProblem naming what is in the way
 */
export function placeCopies(root: TreeNode, sources: Match[], options: CopyOptions): Map<string, Placed> {
  const { target } = options;
  const { parts, node: existing } = resolve(root, target);
  const intoFolder = /(^|\/)\.?$/.test(target) || existing?.children !== undefined;
  if (sources.length > 1 && !intoFolder)
    throw new BuildProblem('with more than one source the target must be a directory and end with /');
  const placed = new Map<string, Placed>();
  const above = (path: string[]) => placeAbove(root, path, placed, options);
  for (const { name, node, unpacked } of sources) {
    const owner = unpacked === true && !options.chown ? undefined : options.owner;
    if (node.children !== undefined) {
      // The target itself, too: as it is, or as the source is.
      above(existing === undefined ? parts : [...parts, name]);
      if (parts.length > 0 && existing === undefined) place(parts.join('/'), node, owner);
      checkFolder(existing, parts.join('/'));
      copyChildren(node, parts, existing, owner);
    } else {
      const path = intoFolder ? [...parts, name] : parts;
      if (path.length === 0) throw new BuildProblem('the root is no file');
      if (path.at(-1) === '') throw new BuildProblem('the URL names no file: give the target a name');
      above(path);
      copyNode(node, path, intoFolder ? existing?.children?.get(name) : existing, owner);
    }
  }
  return placed;

  function copyNode(node: TreeNode, path: string[], before: TreeNode | undefined, owner: CopyOptions['owner']): void {
    const name = path.join('/');
    if (node.children === undefined && before?.children !== undefined)
      throw new BuildProblem(`cannot overwrite directory \`/${printable(name)}\` with what is none`);
    if (node.children !== undefined) checkFolder(before, name);
    place(name, node, owner);
    if (node.children !== undefined) copyChildren(node, path, before, owner);
  }

  function copyChildren(
    node: TreeNode,
    path: string[],
    before: TreeNode | undefined,
    owner: CopyOptions['owner'],
  ): void {
    for (const [name, child] of node.children ?? [])
      copyNode(child, [...path, name], before?.children?.get(name), owner);
  }

  function place(name: string, node: TreeNode, owner: CopyOptions['owner']): void {
    const { mode } = options;
    const entry = { ...node.entry, ...owner, ...(mode !== undefined && node.entry.type !== 'symlink' && { mode }) };
    placed.set(name, { entry, node });
  }
}

function checkFolder(before: TreeNode | undefined, path: string): void {
  if (before !== undefined && before.children === undefined)
    throw new BuildProblem(`cannot copy a directory over \`/${printable(path)}\`, which is none`);
}

/** A layer that leaves out the directories above would say that they have the usual owner and mode. */
function placeAbove(root: TreeNode, path: string[], placed: Map<string, Placed>, options: CopyOptions): void {
  let at: TreeNode | undefined = root;
  for (const [depth, part] of path.slice(0, -1).entries()) {
    at = at?.children?.get(part);
    const name = path.slice(0, depth + 1).join('/');
    checkFolder(at, name);
    if (placed.has(name)) continue;
    const entry = at?.entry ?? directoryEntry({ mtime: options.now, ...options.owner });
    placed.set(name, { entry, node: undefined });
  }
}
