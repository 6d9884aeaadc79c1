import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Paths } from '../paths.ts';
import type { Progress } from '../progress.ts';
import { extractPackage, fetchPackages } from './debian-packages.ts';
import { PARTS } from './image-store.ts';
import { makeInitrd } from './initrd.ts';
import type { Inputs } from './inputs.ts';
import { selectModules } from './kernel-modules.ts';
import type { Recipe } from './recipe.ts';
import { layOutRoot } from './root-tree.ts';
import { makeSquashfs } from './squashfs.ts';

/**
 * Makes the three parts of an image in `work` from its inputs: same inputs, same bytes.
 *
 * @returns the kernel's release
 */
export async function assembleImage(
  paths: Paths,
  work: string,
  from: { recipe: Recipe; inputs: Inputs },
  options: { progress: Progress; signal?: AbortSignal | undefined },
): Promise<string> {
  const { recipe, inputs } = from;
  const { progress, signal } = options;
  const packages = path.join(work, 'packages');
  await mkdir(packages);
  await progress.step('Fetch Debian packages', async (detail) => {
    const size = inputs.packages.reduce((sum, { size }) => sum + size, 0);
    detail(`${inputs.packages.length} packages, ${Math.ceil(size / 1e6)} MB`);
    const debs = await fetchPackages(inputs.packages, path.join(paths.cache, 'packages'), signal);
    for (const deb of debs) await extractPackage(deb, packages, signal);
  });
  const release = await kernelRelease(packages);
  const moduleTree = path.join(packages, 'lib/modules', release);

  await progress.step('Make initrd', async () => {
    await copyFile(path.join(packages, `boot/vmlinuz-${release}`), path.join(work, PARTS.kernel));
    const initrd = await makeInitrd({
      init: path.join(recipe.folder, 'initrd/init'),
      busybox: path.join(packages, 'bin/busybox'),
      moduleTree,
      modules: await selectModules(moduleTree, recipe.modules.initrd),
    });
    await writeFile(path.join(work, PARTS.initrd), initrd);
  });

  await progress.step('Make root file system', async () => {
    const { boot, onDemand } = recipe.modules;
    const root = path.join(work, 'root');
    const modules = await selectModules(moduleTree, [...boot, ...onDemand]);
    await layOutRoot(root, recipe, { packages, moduleTree, modules });
    await makeSquashfs(root, path.join(work, PARTS.root), { signal });
  });
  return release;
}

async function kernelRelease(packages: string): Promise<string> {
  const [release] = await readdir(path.join(packages, 'lib/modules'));
  if (release === undefined) throw new Error('find kernel modules: the kernel package has none');
  return release;
}
