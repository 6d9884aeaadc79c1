import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { readModuleInfo } from './elf.ts';

export interface KernelModule {
  /** With underscores, as lsmod(8) shows it. */
  name: string;
  /** Below lib/modules/<release>/. */
  path: string;
  dependsOn: string[];
  /** Patterns by which the kernel asks for it: modules.alias in depmod(8). */
  aliases: string[];
}

/**
 * The named modules and all they depend on, each after its own dependencies.
 *
 * @param tree lib/modules/<release> of the kernel package
 */
export async function selectModules(tree: string, names: string[]): Promise<KernelModule[]> {
  const files = await modulePaths(tree);
  const selected = new Map<string, KernelModule>();
  const add = async (name: string): Promise<void> => {
    if (selected.has(name)) return;
    const file = files.get(name);
    if (file === undefined) throw new Error(`find kernel module \`${name}\`: not in the kernel package`);
    const info = await readModuleInfo(path.join(tree, file));
    const values = (key: string) => info.filter((entry) => entry[0] === key).map((entry) => entry[1]);
    const dependsOn = values('depends')
      .flatMap((list) => list.split(','))
      .filter((dependency) => dependency !== '')
      .map(moduleName);
    for (const dependency of dependsOn) await add(dependency);
    selected.set(name, { name, path: file, dependsOn, aliases: values('alias') });
  };
  for (const name of names) await add(name);
  return [...selected.values()];
}

/**
 * modules.dep as depmod(8) writes it: a module's line names all it depends on, in the order of unloading.
 *
 * @param modules each after its own dependencies, as `selectModules` gives them
 */
export function modulesDep(modules: KernelModule[]): string {
  const unloading = modules.toReversed();
  const closures = new Map<string, Set<string>>();
  for (const { name, dependsOn } of modules)
    closures.set(name, new Set(dependsOn.flatMap((other) => [other, ...(closures.get(other) ?? [])])));
  return modules
    .map(({ name, path }) => {
      const dependencies = unloading.filter((other) => closures.get(name)?.has(other.name));
      return `${path}:${dependencies.map((other) => ` ${other.path}`).join('')}\n`;
    })
    .join('');
}

export function modulesAlias(modules: KernelModule[]): string {
  return modules.flatMap((module) => module.aliases.map((alias) => `alias ${alias} ${module.name}\n`)).join('');
}

async function modulePaths(tree: string): Promise<Map<string, string>> {
  const files = await readdir(path.join(tree, 'kernel'), { recursive: true });
  return new Map(
    files
      .filter((file) => file.endsWith('.ko'))
      .map((file) => [moduleName(path.basename(file, '.ko')), path.join('kernel', file)]),
  );
}

function moduleName(name: string): string {
  return name.replaceAll('-', '_');
}
