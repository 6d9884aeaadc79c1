import { dockerignore } from '../dockerignore.ts';
import type { TreeNode } from './file-tree.ts';
import { readWhole } from './spool.ts';
import { contents } from './write-layer.ts';

/** Takes out what `.dockerignore` of the context names, for clients that send it all the same. */
export async function ignoreFiles(context: TreeNode): Promise<void> {
  const node = context.children?.get('.dockerignore');
  const spooled = node && (await contents([node])).get(node);
  if (spooled === undefined || spooled.size > FILE_LIMIT) return;
  const isIgnored = dockerignore((await readWhole(spooled)).toString('utf8'));
  prune(context, '', isIgnored);
}

function prune(folder: TreeNode, prefix: string, isIgnored: (path: string) => boolean): void {
  for (const [name, node] of folder.children ?? []) {
    const path = `${prefix}${Buffer.from(name, 'latin1').toString('utf8')}`;
    if (node.children !== undefined) prune(node, `${path}/`, isIgnored);
    // A folder stays when something in it is excepted.
    if (isIgnored(path) && (node.children?.size ?? 0) === 0) folder.children?.delete(name);
  }
}

const FILE_LIMIT = 1024 ** 2;
