import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { NestError } from '../errors.ts';
import type { Progress } from '../progress.ts';
import { digestOf } from './add-blob.ts';
import { blobPath, parseDocument, readBounded, short } from './blobs.ts';
import { Index, REF_NAME } from './documents.ts';
import type { LayerDisks } from './layer-disks.ts';
import { readImage } from './layout.ts';
import { normalize } from './references.ts';
import { brokenSeal } from './seal.ts';
import { blobsOf, type Store } from './store.ts';

export interface Problem {
  /** What is wrong: a file below the data directory, or an image's name. */
  object: string;
  message: string;
}

export interface StoreCheck {
  images: number;
  /** Whose content was read and proven. */
  blobs: number;
  disks: number;
  /** Read for that. */
  bytes: number;
  problems: Problem[];
}

/**
 * Reads the whole store and proves it: the layout's documents, each blob's digest, each name, each disk's seal, and that
 * nothing is half made but what work in progress is making.
 *
 * @param repair removes what is damaged: disks are made again when they are needed, images must be brought in again.
 */
export async function checkStore(
  store: Store,
  disks: LayerDisks,
  { repair, progress, signal }: { repair: boolean; progress: Progress; signal?: AbortSignal | undefined },
): Promise<StoreCheck> {
  const found: StoreCheck = { images: store.list().length, blobs: 0, disks: 0, bytes: 0, problems: [] };
  const damaged = new Set<string>();
  await progress.step('Index', async () => void found.problems.push(...(await indexProblems(store))));

  await progress.step('Blobs', async (detail) => {
    for (const digest of new Set(store.list().flatMap(blobsOf))) {
      detail(short(digest));
      const problem = await blobProblem(store, digest, signal);
      found.bytes += await sizeOf(blobPath(store.folder, digest));
      if (problem === undefined) found.blobs += 1;
      else {
        damaged.add(digest);
        found.problems.push({ object: `images/blobs/${digest.replace(':', '/')}`, message: problem });
      }
    }
  });

  await progress.step('Layer disks', async (detail) => {
    for (const { diffId, path: file } of await disks.list()) {
      detail(short(diffId));
      const problem = await brokenSeal(file, diffId, signal).catch(gone);
      if (problem === GONE) continue;
      found.bytes += await sizeOf(file);
      if (problem === undefined) found.disks += 1;
      else {
        found.problems.push({ object: `layers/${path.basename(file)}`, message: problem });
        if (repair) await rm(file, { force: true });
      }
    }
  });

  await progress.step('Leftovers', async () => {
    for (const file of [...(await store.leftovers()), ...(await disks.leftovers())]) {
      found.problems.push({ object: file, message: 'half made, and nobody is making it' });
      if (repair) await rm(file, { recursive: true, force: true });
    }
  });
  if (repair && damaged.size > 0) {
    await store.change((images) => images.filter((image) => blobsOf(image).every((digest) => !damaged.has(digest))));
    await store.drop(damaged);
  }
  return found;
}

/** What the file on disk says, which is what the next engine and other tools read. */
async function indexProblems(store: Store): Promise<Problem[]> {
  const { folder } = store;
  const file = path.join(folder, 'index.json');
  const problems: Problem[] = [];
  try {
    const names = new Set<string>();
    const { manifests } = parseDocument(await readBounded(file, 'index.json'), 'index.json', Index);
    for (const descriptor of manifests) {
      await readImage(folder, descriptor);
      const name = descriptor.annotations[REF_NAME];
      if (name === undefined) continue;
      if (normalize(name) !== name || names.has(name))
        problems.push({ object: name, message: names.has(name) ? 'two images have this name' : 'not a whole name' });
      names.add(name);
    }
    const known = new Set(store.list().map(({ manifest }) => manifest.digest));
    if (
      manifests.some(({ digest }) => !known.has(digest)) ||
      known.size !== new Set(manifests.map((m) => m.digest)).size
    )
      problems.push({ object: 'images/index.json', message: 'not what the engine has in mind' });
  } catch (error) {
    if (!(error instanceof NestError)) throw error;
    problems.push({ object: 'images/index.json', message: error.message });
  }
  return problems;
}

async function blobProblem(store: Store, digest: string, signal?: AbortSignal): Promise<string | undefined> {
  const proven = await digestOf(blobPath(store.folder, digest), signal);
  // Removed while this ran: then no image has it any more.
  if (proven === digest || !store.owns(digest)) return undefined;
  return proven === undefined ? 'missing, or not to be read' : 'its content does not have this digest';
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

function gone(error: unknown): typeof GONE {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return GONE;
  throw error;
}

const GONE = 'gone meanwhile';
