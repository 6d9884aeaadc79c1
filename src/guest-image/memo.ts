import { createHash } from 'node:crypto';
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import type { Paths } from '../paths.ts';
import { Inputs, npmFiles } from './inputs.ts';
import { npmPackage } from './project-root.ts';
import type { Recipe } from './recipe.ts';
import { openWorkFolder } from './work-folder.ts';

/**
 * Inputs found earlier, as long as nothing they were found from has changed. apt needs seconds to answer, and Node is
 * 120 MB to hash, so a build that has nothing to do would be slow without.
 */
export interface Memo {
  recall(): Promise<Inputs | undefined>;
  keep(inputs: Inputs): Promise<void>;
}

/** Takes the fingerprint now: what changes between now and `keep` is noticed the next time. */
export async function openMemo(paths: Paths, recipe: Recipe): Promise<Memo> {
  const file = path.join(paths.cache, `guest-image-inputs-${recipe.name}.json`);
  const fingerprint = await fingerprintOf(recipe);
  return {
    async recall() {
      try {
        const memo = v.parse(MemoFile, JSON.parse(await readFile(file, 'utf8')));
        return memo.fingerprint === fingerprint ? memo.inputs : undefined;
      } catch {
        return undefined;
      }
    },
    async keep(inputs) {
      await using work = await openWorkFolder(paths.cache);
      const temporary = path.join(work.folder, 'inputs');
      await writeFile(temporary, JSON.stringify({ fingerprint, inputs }));
      await rename(temporary, file);
    },
  };
}

/** Changes with apt's lists and settings, the npm packages and the recipe; by size and time, as make(1) would see it. */
async function fingerprintOf(recipe: Recipe): Promise<string> {
  const listed = await Promise.all(APT_FOLDERS.map(filesIn));
  const files = [...listed.flat(), ...npmFiles(recipe).map(({ name, file }) => path.join(npmPackage(name), file))];
  const stamps = await Promise.all(files.sort().map(stamp));
  return createHash('sha256')
    .update(JSON.stringify([FORMAT, recipe.digest, ...stamps]))
    .digest('hex');
}

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.map((name) => path.join(folder, name));
}

async function stamp(file: string): Promise<string> {
  const { size, mtimeMs } = await stat(file);
  return `${file} ${size} ${mtimeMs}`;
}

const MemoFile = v.object({ fingerprint: v.string(), inputs: Inputs });
const FORMAT = 1;
const APT_FOLDERS = [
  '/etc/apt',
  '/etc/apt/sources.list.d',
  '/etc/apt/preferences.d',
  '/var/lib/apt/lists',
  '/var/lib/dpkg/arch',
];
