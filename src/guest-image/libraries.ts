import { readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { readDynamicLinks } from './elf.ts';

/**
 * All shared libraries that the programs and libraries need, directly or not: file name → file. A missing one is an
 * error here, not at the guest's boot.
 *
 * @param programs ELF files
 * @param opened file names of libraries opened at run time
 * @param packages folder with the extracted Debian packages
 */
export async function sharedLibraries(
  programs: string[],
  opened: string[],
  packages: string,
): Promise<Map<string, string>> {
  const available = await librariesIn(packages);
  const selected = new Map<string, string>();
  const addFor = async (file: string): Promise<void> => {
    const { needed, interpreter } = await readDynamicLinks(file);
    for (const name of interpreter === null ? needed : [...needed, path.basename(interpreter)]) await add(name, file);
  };
  const add = async (name: string, wantedBy: string): Promise<void> => {
    if (selected.has(name)) return;
    const file = available.get(name);
    if (file === undefined)
      throw new Error(`find library \`${name}\` for \`${path.basename(wantedBy)}\`: in none of the recipe's packages`);
    selected.set(name, await realpath(file));
    await addFor(file);
  };
  for (const name of opened) await add(name, 'the recipe');
  for (const program of programs) await addFor(program);
  return selected;
}

async function librariesIn(packages: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const folder of LIBRARY_FOLDERS.map((name) => path.join(packages, name))) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((name) => name.includes('.so'))) found.set(name, path.join(folder, name));
  }
  return found;
}

/** Where Debian's amd64 packages keep the libraries that the loader finds without configuration. */
const LIBRARY_FOLDERS = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu', 'lib64'];
