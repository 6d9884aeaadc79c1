import { existsSync } from 'node:fs';
import { upperFolder } from '../folders.ts';
import type { Kernel } from '../runtime.ts';
import { removeTree } from './remove-tree.ts';

/** Deletes the folder of what is no container any more, and first its limit: a deletion that breaks off is begun anew. */
export async function removeFiles(kernel: Pick<Kernel, 'liftLimit'>, folder: string): Promise<void> {
  const upper = upperFolder(folder);
  if (existsSync(upper)) kernel.liftLimit(upper);
  await removeTree(folder);
}
