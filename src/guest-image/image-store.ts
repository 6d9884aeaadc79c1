import { chmod, mkdir, readdir, readFile, readlink, rename, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import type { Paths } from '../paths.ts';
import { Inputs } from './inputs.ts';
import { openWorkFolder } from './work-folder.ts';

/**
 * Guest images on disk, below `paths.guestImages`:
 *
 *     <digest>/{vmlinuz,initrd,root.squashfs,image.json}   complete and never changed; image.json's time is its age
 *     current-<recipe>                                     symbolic link to the image that the last build answered with
 */
export interface StoredImage extends ImageRecord {
  folder: string;
  /** Bytes of kernel, initrd and root. */
  size: number;
  /** Milliseconds since 1970. */
  createdAt: number;
}

const RecordFile = v.object({
  digest: v.string(),
  recipe: v.string(),
  /** Release of the guest's kernel, as uname -r shows it. */
  kernel: v.string(),
  inputs: Inputs,
});

/** What an image was made from. */
export type ImageRecord = v.InferOutput<typeof RecordFile>;

/** Newest first. A folder that lacks a part is no image. */
export async function storedImages(paths: Paths): Promise<StoredImage[]> {
  const names = (await entries(paths.guestImages)).filter((name) => DIGEST.test(name));
  const images = await Promise.all(names.map((digest) => storedImage(paths, digest)));
  return images.filter((image) => image !== undefined).sort((a, b) => b.createdAt - a.createdAt);
}

export async function storedImage(paths: Paths, digest: string): Promise<StoredImage | undefined> {
  const folder = path.join(paths.guestImages, digest);
  try {
    const record = v.parse(RecordFile, JSON.parse(await readFile(path.join(folder, RECORD), 'utf8')));
    const { mtimeMs } = await stat(path.join(folder, RECORD));
    const sizes = await Promise.all(
      Object.values(PARTS).map(async (part) => (await stat(path.join(folder, part))).size),
    );
    return { ...record, folder, size: sizes.reduce((sum, size) => sum + size, 0), createdAt: Math.floor(mtimeMs) };
  } catch {
    return undefined;
  }
}

export async function currentImage(paths: Paths, recipe: string): Promise<StoredImage | undefined> {
  const digest = await readlink(currentLink(paths, recipe)).catch(() => undefined);
  return digest === undefined ? undefined : storedImage(paths, digest);
}

export async function makeCurrent(paths: Paths, image: ImageRecord): Promise<void> {
  await using work = await openWorkFolder(paths.guestImages);
  const link = path.join(work.folder, 'link');
  await symlink(image.digest, link);
  await rename(link, currentLink(paths, image.recipe));
}

/**
 * Puts a finished image in place of a missing or an equal one. Each file is renamed over its predecessor, so a running
 * build, a starting guest and a second build never see half of one; the record comes last and makes it an image.
 *
 * @param work folder with the three parts, on the same file system
 */
export async function storeImage(paths: Paths, work: string, record: ImageRecord): Promise<void> {
  await writeFile(path.join(work, RECORD), `${JSON.stringify(record, undefined, 2)}\n`);
  const folder = path.join(paths.guestImages, record.digest);
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755); // QEMU may run as another user, whatever this one's umask
  for (const file of [...Object.values(PARTS), RECORD]) {
    await chmod(path.join(work, file), 0o444);
    await rename(path.join(work, file), path.join(folder, file));
  }
}

function entries(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

function currentLink(paths: Paths, recipe: string): string {
  return path.join(paths.guestImages, `current-${recipe}`);
}

export const PARTS = { kernel: 'vmlinuz', initrd: 'initrd', root: 'root.squashfs' };
const RECORD = 'image.json';
const DIGEST = /^[0-9a-f]{64}$/;
