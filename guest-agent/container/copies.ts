import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { conflict } from '../errors.ts';
import { containerFolders, type Folders } from '../folders.ts';
import type { Runtime } from '../runtime.ts';
import { unpack } from './unpack.ts';

/** What was copied for a container: a file or a folder of this name, in a folder of its own. */
export const copyContent = (folders: Folders, id: string, index: number) =>
  join(copyFolder(folders, id, index), 'content');

export const copyFolder = (folders: Folders, id: string, index: number) =>
  join(containerFolders(folders, id).copies, String(index));

/**
 * Takes files for a container that is created next. Until then its folder is none of a container: a restart of the agent, or
 * a deletion, removes it.
 */
export async function receiveCopy(
  runtime: Runtime,
  id: string,
  index: number,
  archive: () => AsyncIterable<Buffer>,
): Promise<void> {
  if (runtime.containers.has(id)) throw conflict(`copy to container \`${id}\`: it exists`);
  const folder = copyFolder(runtime.folders, id, index);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const root = openSync(folder, 'r');
  try {
    await unpack(runtime.kernel, archive(), { root, folder: Buffer.from('.') });
  } finally {
    closeSync(root);
  }
}
