import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { resolveMetaPackage, resolvePackages } from './debian-packages.ts';
import { npmPackage } from './project-root.ts';
import type { Recipe } from './recipe.ts';

/** All that decides the bytes of a guest image. */
export const Inputs = v.object({
  /** What the project brings: the recipe, npm packages, and how images are built. */
  project: v.string(),
  kernelPackage: v.string(),
  packages: v.array(v.object({ name: v.string(), file: v.string(), size: v.number(), sha256: v.string() })),
});

export type Inputs = v.InferOutput<typeof Inputs>;

/** The image's name: SHA-256 over its inputs. */
export function digestOf(inputs: Inputs): string {
  const packages = inputs.packages.map(({ name, file, sha256 }) => [name, file, sha256]);
  return sha256(JSON.stringify([inputs.project, inputs.kernelPackage, packages]));
}

/** Asks apt for the packages' present versions. Needs apt's lists, not the network. */
export async function debianInputs(recipe: Recipe, signal?: AbortSignal): Promise<Omit<Inputs, 'project'>> {
  const kernelPackage = await resolveMetaPackage(recipe.kernel, signal);
  return { kernelPackage, packages: await resolvePackages([kernelPackage, ...recipe.packages], signal) };
}

/** Digest of the inputs that do not come from Debian. */
export async function projectInputs(recipe: Recipe): Promise<string> {
  const files = await Promise.all(
    npmFiles(recipe).map(async ({ name, file }) => [name, file, await sha256OfFile(path.join(npmPackage(name), file))]),
  );
  return sha256(JSON.stringify([BUILDER, recipe.digest, files]));
}

/** Files of npm packages that go into the image. */
export function npmFiles(recipe: Recipe): { name: string; file: string }[] {
  return recipe.npm.flatMap((source) => source.files.map((file) => ({ name: source.package, file })));
}

async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Changes whenever the same inputs would give other bytes. */
const BUILDER = 1;
