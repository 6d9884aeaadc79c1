import { createHash } from 'node:crypto';
import type { TreeNode } from './file-tree.ts';
import type { Match } from './glob.ts';
import { contents } from './write-layer.ts';

/** What a step is known by in the cache: SHA-256 over all that decides its result, the steps before it included. */
export function chainKey(before: string, ...inputs: unknown[]): string {
  return createHash('sha256')
    .update(JSON.stringify([before, ...inputs]))
    .digest('hex');
}

/** Names, kinds, modes, owners and contents of files; not their times, which a fresh checkout changes. */
export async function filesKey(matches: Match[]): Promise<string> {
  const hash = createHash('sha256');
  const files = matches.flatMap(({ name, node }) => [...below(name, node)]).sort((a, b) => (a.path < b.path ? -1 : 1));
  const bytes = await contents(files.map(({ node }) => node));
  for (const { path, node } of files) {
    const { type, mode, uid, gid, linkName, deviceMajor, deviceMinor, xattrs } = node.entry;
    const attributes = [...xattrs].map(([key, value]) => [key, value.toString('hex')]);
    const content = bytes.get(node)?.digest ?? '';
    hash.update(JSON.stringify([path, type, mode, uid, gid, linkName, deviceMajor, deviceMinor, attributes, content]));
  }
  return hash.digest('hex');
}

function* below(path: string, node: TreeNode): Generator<{ path: string; node: TreeNode }> {
  yield { path, node };
  for (const [name, child] of node.children ?? []) yield* below(`${path}/${name}`, child);
}
