import { MalformedTar } from '../../../guest-agent/tar/entry.ts';
import { archiveTree } from '../../build/archive-tree.ts';
import { buildImage, type BuildReport } from '../../build/build.ts';
import { ignoreFiles } from '../../build/ignore.ts';
import { resolve, type TreeNode } from '../../build/file-tree.ts';
import { openSpool, readWhole } from '../../build/spool.ts';
import { contents } from '../../build/write-layer.ts';
import { NestError } from '../../errors.ts';
import { decompressed } from '../../images/decompress.ts';
import type { Image } from '../../images/images.ts';
import type { Progress } from '../../progress.ts';
import type { Context } from '../context.ts';
import { openBuildGuest } from './guest.ts';
import path from 'node:path';

export interface BuildOptions {
  /** The Dockerfile's path in the context; or its text, and a name for messages. */
  dockerfile: { path: string } | { name: string; text: string };
  /** Normalized. */
  references: string[];
  buildArgs: Map<string, string>;
  target: string | null;
  noCache: boolean;
  /** When base images are brought from their registries. */
  pull: 'missing' | 'always' | 'never';
  labels: Record<string, string>;
  secrets: Map<string, Buffer>;
}

/**
 * Builds an image from a context. What a build that ends early leaves are steps in the cache.
 *
 * @param tar the context, possibly compressed
 * @param runtime folder for what QEMU opens
 */
export async function buildFromTar(
  ctx: Context,
  options: BuildOptions,
  tar: AsyncIterable<Buffer>,
  {
    report,
    progress,
    signal,
    folder,
  }: { report: BuildReport; progress: Progress; signal: AbortSignal; folder: string },
): Promise<Image> {
  await using assembly = await ctx.images.assemble();
  await using spool = await openSpool(path.join(assembly.stage, 'files'));
  const context = await archiveTree(decompressed(tar), spool).catch((error: unknown) => {
    throw error instanceof MalformedTar ? badContext(error) : error;
  });
  await ignoreFiles(context);
  await using guest = openBuildGuest(ctx, { folder, progress, signal });
  const { name, text } = await dockerfileOf(context, options.dockerfile);
  const id = await buildImage(
    { ...options, dockerfile: text, fileName: name, context, spool, now: Date.now() },
    {
      assembly,
      findBase: (image) => findBase(ctx, image, options.pull, progress, signal),
      run: async (request) => guest.run(request, await assembly.disks(request.layers, signal)),
      report,
      signal,
    },
  );
  const image = await ctx.images.find(id);
  if (image === undefined) throw new Error(`the image ${id} was removed as soon as it was built`);
  ctx.events.emit({ type: 'image', action: 'build', id, attributes: { name: options.references[0] ?? id } });
  return image;
}

async function findBase(
  ctx: Context,
  name: string,
  pull: BuildOptions['pull'],
  progress: Progress,
  signal: AbortSignal,
): Promise<Image> {
  const known = pull === 'always' ? undefined : await ctx.images.find(name);
  if (known !== undefined) return known;
  if (pull === 'never')
    throw new NestError('image-not-found', `No such image: ${name}`, { hint: 'Load it: nest image load FILE' });
  const [image] = await ctx.images.load({ kind: 'registry', reference: name }, progress, signal);
  if (image !== undefined) return image;
  throw new NestError('image-not-found', `No such image: ${name}`);
}

async function dockerfileOf(
  context: TreeNode,
  dockerfile: BuildOptions['dockerfile'],
): Promise<{ name: string; text: string }> {
  if ('text' in dockerfile) return dockerfile;
  const { path: name } = dockerfile;
  const { node } = resolve(context, Buffer.from(name, 'utf8').toString('latin1'));
  const spooled = node && (await contents([node])).get(node);
  if (spooled === undefined)
    throw new NestError('invalid-input', `read Dockerfile \`${name}\`: it is not in the build context`, {
      hint: 'Name it with -f, and see that .dockerignore leaves it in.',
    });
  if (spooled.size > DOCKERFILE_LIMIT)
    throw new NestError('invalid-input', `read Dockerfile \`${name}\`: larger than 1 MiB`);
  return { name, text: (await readWhole(spooled)).toString('utf8') };
}

function badContext(error: MalformedTar): NestError {
  return new NestError('invalid-input', `read the build context: ${error.message}`, { cause: error });
}

const DOCKERFILE_LIMIT = 1024 ** 2;
