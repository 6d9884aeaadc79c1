import { existsSync } from 'node:fs';
import path from 'node:path';

/**
 * The folder with nest's package.json, images/ and guest-agent/: the nearest above this file, which runs from src/ or
 * from dist/src/.
 */
export function projectRoot(): string {
  for (const folder of ancestors(import.meta.dirname)) {
    if (existsSync(path.join(folder, 'package.json')) && existsSync(path.join(folder, 'images'))) return folder;
  }
  throw new Error(`find project root above \`${import.meta.dirname}\`: no folder with package.json and images`);
}

/** Where npm put a dependency: in node_modules of the project or of a folder above it. */
export function npmPackage(name: string): string {
  const found = [...ancestors(projectRoot())]
    .map((folder) => path.join(folder, 'node_modules', name))
    .find((folder) => existsSync(path.join(folder, 'package.json')));
  if (found === undefined) throw new Error(`find npm package \`${name}\`: not installed; run \`npm install\``);
  return found;
}

function* ancestors(folder: string): Generator<string> {
  yield folder;
  const parent = path.dirname(folder);
  if (parent !== folder) yield* ancestors(parent);
}
