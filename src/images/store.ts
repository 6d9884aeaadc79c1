import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { NestError } from '../errors.ts';
import { blobPath, noRoom, parseDocument, readBounded } from './blobs.ts';
import { Index, REF_NAME, type Descriptor } from './documents.ts';
import { readImage, type LayoutImage } from './layout.ts';
import { openLeases, STAGE, type Lease } from './lease.ts';
import { semaphore } from '../semaphore.ts';

/** An image of the store with the names it has now. */
export interface StoredImage extends LayoutImage {
  references: string[];
}

/**
 * The host's images: an OCI layout whose index has one entry for each name, and one without a name for an image that
 * lost its last. Only the engine writes to it. Blobs come by rename, proven and on disk, before the index names them, and
 * the index changes by rename, so that a kill at any point leaves a valid layout and at most blobs without an owner.
 */
export interface Store {
  readonly folder: string;
  list(): StoredImage[];
  /** What a piece of work brings in, or relies on, stays until its lease ends. */
  lease(): Promise<Lease>;
  /** True for a blob that an image has. */
  owns(digest: string): boolean;
  /** True for a blob or layer that work in progress relies on. */
  leased(digest: string): boolean;
  /** Changes which images there are, and their names, in one step. */
  change(edit: (images: StoredImage[]) => StoredImage[]): Promise<void>;
  /** Files and folders of work that nobody does. */
  leftovers(): Promise<string[]>;
  /** Removes those of these blobs that neither an image nor a lease has. */
  drop(digests: Iterable<string>): Promise<void>;
  /**
   * Removes all blobs that neither an image nor a lease has.
   *
   * @param age milliseconds for which those of a failed pull stay, for the next one to go on from.
   * @returns bytes that were freed
   */
  collect(age?: number): Promise<number>;
}

/** @param cached blobs that the build cache needs: they stay without an image */
export async function openStore(folder: string, cached: () => string[] = () => []): Promise<Store> {
  await mkdir(path.join(folder, 'blobs/sha256'), { recursive: true });
  for (const name of await readdir(folder))
    if (name.startsWith(STAGE) || name.endsWith('.tmp')) await rm(path.join(folder, name), { recursive: true });
  await writeFile(path.join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  let images = await readImages(folder);
  await writeIndex(folder, images);
  const oneAtATime = semaphore(1);
  const owned = () => new Set([...images.flatMap(blobsOf), ...cached()]);

  const drop = (digests: Iterable<string>) =>
    oneAtATime(async () => {
      const kept = owned();
      for (const digest of digests)
        if (!kept.has(digest) && !leases.holds(digest)) await rm(blobPath(folder, digest), { force: true });
    });
  const leases = openLeases(folder, drop);

  const store: Store = {
    folder,
    list: () => images,
    lease: () => leases.take(),
    owns: (digest) => owned().has(digest),
    leased: (digest) => leases.holds(digest),
    drop,
    async leftovers() {
      const names = await readdir(folder);
      const stages = new Set(leases.stages());
      return names
        .filter((name) => name.startsWith(STAGE))
        .map((name) => path.join(folder, name))
        .filter((stage) => !stages.has(stage));
    },
    change: (edit) =>
      oneAtATime(async () => {
        const next = edit(images);
        await writeIndex(folder, next);
        images = next;
      }),
    collect: (age = 0) =>
      oneAtATime(async () => {
        const kept = owned();
        const before = Math.min(leases.oldest(), Date.now() - age);
        let freed = 0;
        for (const name of await readdir(path.join(folder, 'blobs/sha256'))) {
          const digest = `sha256:${name}`;
          if (kept.has(digest) || leases.holds(digest)) continue;
          const { mtimeMs, size } = await stat(blobPath(folder, digest));
          if (mtimeMs > before) continue;
          await rm(blobPath(folder, digest), { recursive: true });
          freed += size;
        }
        return freed;
      }),
  };
  await store.collect(RESUME_TIME);
  return store;
}

/** Every digest that the image needs. */
export function blobsOf({ manifest, config, layers }: LayoutImage): string[] {
  return [manifest.digest, config.digest, ...layers.map(({ digest }) => digest)];
}

/** The images with some more; names go to the new ones, away from whoever had them. */
export function merged(known: StoredImage[], added: StoredImage[]): StoredImage[] {
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
  try {
    await using file = await open(temporary, 'w');
    await file.writeFile(JSON.stringify({ schemaVersion: 2, manifests }, undefined, 2));
    await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw noRoom(error, folder);
  }
  await rename(temporary, path.join(folder, 'index.json'));
}

const RESUME_TIME = 24 * 60 * 60 * 1000;
