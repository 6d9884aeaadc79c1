import { mkdir, mkdtemp, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { NestError } from '../errors.ts';
import { blobPath, parseDocument, readBounded } from './blobs.ts';
import { Index, REF_NAME, type Descriptor } from './documents.ts';
import { readImage, type LayoutImage } from './layout.ts';
import { semaphore } from './semaphore.ts';

/** An image of the store with the names it has now. */
export interface StoredImage extends LayoutImage {
  references: string[];
}

/**
 * The host's images: an OCI layout whose index has one entry for each name, and one without a name for an image that
 * lost its last. Only the engine writes to it. Blobs come by rename before the index names them, and the index changes
 * by rename, so that a kill at any point leaves a valid layout and at most blobs without an owner.
 */
export interface Store {
  readonly folder: string;
  list(): StoredImage[];
  /** A folder for a load's files, on the same file system. Removed when the engine opens the store the next time. */
  stage(): Promise<string>;
  /** Takes the blobs out of the layout `from` and gives the images their names, away from whoever had them. */
  commit(from: string, images: StoredImage[]): Promise<void>;
}

export async function openStore(folder: string): Promise<Store> {
  await mkdir(path.join(folder, 'blobs/sha256'), { recursive: true });
  for (const name of await readdir(folder))
    if (name.startsWith(STAGE) || name.endsWith('.tmp')) await rm(path.join(folder, name), { recursive: true });
  await writeFile(path.join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  let images = await readImages(folder);
  await writeIndex(folder, images);
  await removeOrphans(folder, images);
  const oneAtATime = semaphore(1);

  return {
    folder,
    list: () => images,
    stage: () => mkdtemp(path.join(folder, STAGE)),
    commit: (from, added) =>
      oneAtATime(async () => {
        for (const digest of new Set(added.flatMap(blobsOf)))
          await rename(blobPath(from, digest), blobPath(folder, digest));
        const merged = merge(images, added);
        await writeIndex(folder, merged);
        images = merged;
      }),
  };
}

/** Every digest that the image needs. */
export function blobsOf({ manifest, config, layers }: LayoutImage): string[] {
  return [manifest.digest, config.digest, ...layers.map(({ digest }) => digest)];
}

function merge(known: StoredImage[], added: StoredImage[]): StoredImage[] {
  const result = new Map(known.map((image) => [image.manifest.digest, image]));
  for (const image of added) {
    const taken = new Set(image.references);
    for (const [digest, other] of result)
      result.set(digest, { ...other, references: other.references.filter((name) => !taken.has(name)) });
    const before = result.get(image.manifest.digest)?.references ?? [];
    result.set(image.manifest.digest, { ...image, references: [...before, ...image.references] });
  }
  return [...result.values()];
}

/** Images that cannot be read any more (a lost disk block) are left out; loading them again mends the store. */
async function readImages(folder: string): Promise<StoredImage[]> {
  const data = await readBounded(path.join(folder, 'index.json'), 'index.json').catch(ignoreInvalid);
  if (!data) return [];
  const images = new Map<string, StoredImage>();
  for (const descriptor of parseDocument(data, path.join(folder, 'index.json'), Index).manifests) {
    const image = await readImage(folder, descriptor).catch(ignoreInvalid);
    if (!image) continue;
    const name = descriptor.annotations[REF_NAME];
    const before = images.get(descriptor.digest)?.references ?? [];
    images.set(descriptor.digest, { ...image, references: name === undefined ? before : [...before, name] });
  }
  return [...images.values()];
}

function ignoreInvalid(error: unknown): undefined {
  if (error instanceof NestError && error.code === 'image-invalid') return undefined;
  throw error;
}

async function writeIndex(folder: string, images: StoredImage[]): Promise<void> {
  const manifests = images.flatMap(({ manifest, references }): Partial<Descriptor>[] =>
    references.length === 0
      ? [manifest]
      : references.map((name) => ({ ...manifest, annotations: { [REF_NAME]: name } })),
  );
  const temporary = path.join(folder, 'index.json.tmp');
  {
    await using file = await open(temporary, 'w');
    await file.writeFile(JSON.stringify({ schemaVersion: 2, manifests }, undefined, 2));
    await file.sync();
  }
  await rename(temporary, path.join(folder, 'index.json'));
}

/** Blobs of a load that was killed between its blobs and its index. */
async function removeOrphans(folder: string, images: StoredImage[]): Promise<void> {
  const owned = new Set(images.flatMap(blobsOf).map((digest) => path.basename(blobPath(folder, digest))));
  const blobs = path.join(folder, 'blobs/sha256');
  for (const name of await readdir(blobs)) if (!owned.has(name)) await rm(path.join(blobs, name), { recursive: true });
}

const STAGE = 'staging-';
