import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { NestError } from '../errors.ts';
import { projectRoot } from './project-root.ts';

const text = v.pipe(v.string(), v.minLength(1));

const RecipeFile = v.strictObject({
  /** Debian meta package whose one dependency is the kernel. */
  kernel: text,
  /** Debian packages that programs and libraries are taken from. */
  packages: v.array(text),
  /** Paths in those packages; their shared libraries come along. */
  programs: v.array(text),
  /** Libraries that are opened at run time only, by file name. */
  libraries: v.array(text),
  /** Files of npm packages of the project, and the folder of the root they go to. */
  npm: v.array(v.strictObject({ package: text, files: v.array(text), to: text })),
  /** Kernel modules without what they depend on: loaded by the initrd, at boot, and when the kernel asks. */
  modules: v.strictObject({ initrd: v.array(text), boot: v.array(text), onDemand: v.array(text) }),
  /** Empty folders of the root. */
  folders: v.array(text),
  /** Symbolic links of the root. */
  symlinks: v.record(text, text),
});

export interface Recipe extends v.InferOutput<typeof RecipeFile> {
  name: string;
  /** images/<name>/, with recipe.json, initrd/ and root/, which are copied as they are. */
  folder: string;
  /** SHA-256 over all its files. */
  digest: string;
}

/** Reads images/<name>/ of the project. */
export async function loadRecipe(name: string, images = path.join(projectRoot(), 'images')): Promise<Recipe> {
  const known = await recipeNames(images);
  if (!known.includes(name))
    throw new NestError('not-found', `find recipe \`${name}\`: no such guest image recipe`, {
      hint: `Known recipes: ${known.join(', ')}`,
    });
  const folder = path.join(images, name);
  const content: unknown = JSON.parse(await readFile(path.join(folder, 'recipe.json'), 'utf8'));
  return { ...v.parse(RecipeFile, content), name, folder, digest: await digestOfFolder(folder) };
}

export async function recipeNames(images = path.join(projectRoot(), 'images')): Promise<string[]> {
  const entries = await readdir(images, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Names, executable bits and contents; what a checkout changes (times, owner, umask) is left out. */
async function digestOfFolder(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  for (const file of files.sort()) {
    const content = await readFile(file);
    const executable = ((await stat(file)).mode & 0o100) !== 0;
    hash.update(`${path.relative(folder, file)}\0${executable}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}
