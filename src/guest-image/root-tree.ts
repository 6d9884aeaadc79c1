import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { modulesAlias, modulesDep, type KernelModule } from './kernel-modules.ts';
import { sharedLibraries } from './libraries.ts';
import { normalizeModes } from './modes.ts';
import { npmPackage } from './project-root.ts';
import type { Recipe } from './recipe.ts';
import { stripSymbols } from './strip.ts';

/**
 * Lays out the guest's root file system in `root`: the recipe's root/ folder, programs with their libraries, npm packages
 * and kernel modules. All programs are in usr/bin; what busybox can do and no other program does is linked to it.
 */
export async function layOutRoot(root: string, recipe: Recipe, parts: RootParts): Promise<void> {
  await cp(path.join(recipe.folder, 'root'), root, { recursive: true });
  const programs = await Promise.all(
    recipe.programs.map((program) =>
      place(path.join(parts.packages, program), path.join(root, 'usr/bin', path.basename(program))),
    ),
  );
  const fromNpm = await Promise.all(recipe.npm.flatMap((source) => source.files.map(npmFile(root, source))));
  const npmPrograms = fromNpm.filter((file) => PROGRAM.test(file));
  const addons = fromNpm.filter((file) => ADDON.test(file));
  const libraries = await sharedLibraries([...programs, ...npmPrograms, ...addons], recipe.libraries, parts.packages);
  for (const [name, file] of libraries) await place(file, path.join(root, LIBRARIES, name));
  for (const program of npmPrograms) await stripSymbols(program);
  await linkApplets(root);
  await placeModules(root, recipe, parts);
  for (const folder of recipe.folders) await mkdir(path.join(root, folder), { recursive: true });
  for (const [link, target] of Object.entries(recipe.symlinks)) await symlink(target, path.join(root, link));
  await normalizeModes(root);
}

export interface RootParts {
  /** Folder with the extracted Debian packages. */
  packages: string;
  /** lib/modules/<release> in it. */
  moduleTree: string;
  modules: KernelModule[];
}

function npmFile(root: string, source: Recipe['npm'][number]) {
  return (file: string) => place(path.join(npmPackage(source.package), file), path.join(root, source.to, file));
}

async function place(source: string, target: string): Promise<string> {
  await mkdir(path.dirname(target), { recursive: true });
  await copyFile(source, target);
  return target;
}

async function linkApplets(root: string): Promise<void> {
  const bin = path.join(root, 'usr/bin');
  const { stdout } = await promisify(execFile)(path.join(bin, 'busybox'), ['--list']);
  const taken = new Set(await readdir(bin));
  const applets = stdout.split('\n').filter((applet) => applet !== '' && !taken.has(applet));
  for (const applet of applets) await symlink('busybox', path.join(bin, applet));
}

async function placeModules(root: string, recipe: Recipe, parts: RootParts): Promise<void> {
  const release = path.basename(parts.moduleTree);
  const tree = path.join(root, 'usr/lib/modules', release);
  for (const module of parts.modules)
    await place(path.join(parts.moduleTree, module.path), path.join(tree, module.path));
  await writeFile(path.join(tree, 'modules.dep'), modulesDep(parts.modules));
  await writeFile(path.join(tree, 'modules.alias'), modulesAlias(parts.modules));
  await writeFile(path.join(root, 'etc/modules'), recipe.modules.boot.map((name) => `${name}\n`).join(''));
}

const LIBRARIES = 'usr/lib/x86_64-linux-gnu';
const PROGRAM = /\/usr\/bin\/[^/]+$/;
const ADDON = /\.node$/;
