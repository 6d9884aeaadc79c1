import { statSync } from 'node:fs';
import type { ContainerSpec } from '../api.ts';
import { conflict, errnoOf, invalid } from '../errors.ts';
import { containerFolders } from '../folders.ts';
import type { Runtime } from '../runtime.ts';
import { copyFolder } from './copies.ts';

/**
 * Bounds what a container writes, by a quota of the guest's disk. Its project has the inode number of the container's folder,
 * which no other file has for as long as the folder is there: nothing is given out, so nothing can be lost or given twice.
 *
 * @throws RequestError 409 where the disk keeps no quotas, 400 where more was copied for it than it may hold
 */
export function limitStorage({ folders, kernel }: Pick<Runtime, 'folders' | 'kernel'>, spec: ContainerSpec): void {
  const { id, storageLimit, network, copies = [] } = spec;
  if (storageLimit === undefined) return;
  const { state, upper, work, etc } = containerFolders(folders, id);
  const written = copies.flatMap(({ readOnly }, index) => (readOnly === true ? [] : [copyFolder(folders, id, index)]));
  const trees = [upper, work, ...(network === undefined ? [] : [etc]), ...written];
  const usage = present(id, () => kernel.limitTrees(trees, statSync(state).ino, storageLimit));
  if (usage > storageLimit)
    throw invalid(`limit what container \`${id}\` writes: ${usage} bytes were copied for it, of ${storageLimit} bytes`);
}

function present<T>(id: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!NO_QUOTAS.has(errnoOf(error) ?? '')) throw error;
    throw conflict(
      `limit what container \`${id}\` writes: the disk of this guest keeps no quotas; guests of nest's own image do`,
    );
  }
}

const NO_QUOTAS = new Set(['ESRCH', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);
