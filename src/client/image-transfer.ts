import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { NestError } from '../errors.ts';
import type { Progress } from '../progress.ts';
import type { Engine } from './connect.ts';
import { request } from './http.ts';
import { followImageStream } from './image-stream.ts';
import { toStdout } from './output.ts';

/** How a command shows what goes on, and how it is cancelled. */
export interface Following {
  progress: Progress;
  signal: AbortSignal;
}

/**
 * Sends images to the engine: a docker or OCI archive, an OCI layout folder (as an archive of it), or `-` for stdin.
 * Returns the names that the engine reports.
 */
export async function loadImages(engine: Engine, source: string, { progress, signal }: Following): Promise<string[]> {
  return progress.step(`Loading ${source}`, async (detail) => {
    const archive = await openSource(source);
    try {
      const options = { name: source === '-' ? 'stdin' : source, abortSignal: signal };
      const reply = await engine.docker((docker) => docker.loadImage(archive, options));
      return (await followImageStream(Readable.from(reply), progress, detail)).flatMap((text) => {
        const name = /^Loaded image(?: ID)?: (.+)$/.exec(text)?.[1];
        return name === undefined ? [] : [name];
      });
    } finally {
      archive.destroy();
    }
  });
}

/** Brings an image from its registry into the engine's store. Returns the digest that the engine reports. */
export async function pullImage(engine: Engine, reference: string, { progress, signal }: Following): Promise<string> {
  return progress.step(`Pulling ${reference}`, async (detail) => {
    const reply = await engine.docker((docker) => docker.pull(reference, { abortSignal: signal }));
    return reported(await followImageStream(Readable.from(reply), progress, detail), /^Digest: (.+)$/);
  });
}

/** Sends an image to the registry of its name. Returns the digest that it has there. */
export async function pushImage(engine: Engine, reference: string, { progress, signal }: Following): Promise<string> {
  return progress.step(`Pushing ${reference}`, async (detail) => {
    const reply = await engine.docker((docker) => docker.getImage(reference).push({ abortSignal: signal }));
    return reported(await followImageStream(Readable.from(reply), progress, detail), /digest: (sha256:[0-9a-f]{64})/);
  });
}

/** Writes images as one archive. @param target a file, which appears whole or not at all; undefined: stdout */
export async function saveImages(
  engine: Engine,
  names: string[],
  target: string | undefined,
  { progress, signal }: Following,
): Promise<void> {
  await progress.step(`Saving ${names.join(', ')}`, async () => {
    const query = new URLSearchParams(names.map((name): [string, string] => ['names', name]));
    const path = `/images/get?${query.toString()}`;
    const archive = await request(engine.paths.engineSocket, { method: 'GET', path, signal });
    if (target === undefined) return toStdout(archive, signal);
    const partial = `${target}.partial`;
    try {
      await pipeline(archive, createWriteStream(partial), { signal });
      await rename(partial, target);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  });
}

function reported(texts: string[], pattern: RegExp): string {
  return texts.flatMap((text) => pattern.exec(text)?.[1] ?? [])[0] ?? '';
}

async function openSource(source: string): Promise<Readable> {
  if (source === '-') return process.stdin;
  const kind = await stat(source).catch((cause: unknown) => {
    throw new NestError('not-found', `read \`${source}\`: no such file or folder`, { cause });
  });
  return kind.isDirectory() ? packLayout(source) : createReadStream(source);
}

/** An OCI layout folder as the archive of it (image-spec, image-layout.md). */
async function packLayout(folder: string): Promise<Readable> {
  const { pack: tarPack } = await import('tar-stream');
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  if (!files.some(({ name }) => name === 'oci-layout'))
    throw new NestError('image-invalid', `read \`${folder}\`: not an OCI layout, it has no oci-layout file`, {
      hint: 'Name an archive made by `docker save`, or a folder made by `skopeo copy … oci:DIR`.',
    });
  const pack = tarPack();
  const fill = async () => {
    for (const file of files.filter((entry) => entry.isFile())) {
      const location = path.join(file.parentPath, file.name);
      const { size } = await stat(location);
      await pipeline(createReadStream(location), pack.entry({ name: path.relative(folder, location), size }));
    }
    pack.finalize();
  };
  fill().catch((error: unknown) => pack.destroy(error as Error));
  return Readable.from(pack);
}
