import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';

/**
 * Deletes a folder that a container filled. Symbolic links are deleted, never followed. Folders nested deeper than a path
 * can name (a container makes them with relative paths) are moved up until they can be named.
 */
export async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    if (errnoOf(error) !== 'ENAMETOOLONG') throw error;
    await liftDeepFolders(folder, folder);
    await removeTree(folder);
  }
}

/** The `rm` that failed still deletes what it had begun with: what is gone is gone. */
async function liftDeepFolders(folder: string, top: string): Promise<void> {
  for (const entry of (await unlessGone(readdir(folder, { withFileTypes: true }))) ?? []) {
    if (!entry.isDirectory()) continue;
    const path = join(folder, entry.name);
    if (path.length - top.length < DEEP) await liftDeepFolders(path, top);
    else await unlessGone(rename(path, join(top, `.deep.${process.pid}.${(lifted += 1)}`)));
  }
}

async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

let lifted = 0;

/** Half of PATH_MAX: what is moved up leaves room for the folders above `top`. */
const DEEP = 2048;
