import { chmodSync, chownSync, closeSync, existsSync, fstatSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { VolumeMount } from '../api.ts';
import { errnoOf } from '../errors.ts';
import { VOLUME_FILES } from '../rootfs/volume.ts';
import type { Runtime } from '../runtime.ts';
import { tarEnd } from '../tar/writer.ts';
import { packFolder } from './archive.ts';
import type { Container } from './container.ts';
import { stoppedRoot } from './stopped-root.ts';
import { unpack } from './unpack.ts';

/**
 * Gives an empty volume what the image has in its place, with the place's owner and mode: Docker's rule for the first use.
 * It is made aside and then moved in, so that a guest that ends meanwhile leaves an empty volume or one that the next
 * completes. The folder itself stays: containers that run may have it.
 */
export async function fillVolumes(runtime: Runtime, container: Container): Promise<void> {
  for (const mount of container.spec.volumes ?? [])
    if (mount.readOnly !== true && mount.copy !== false)
      await runtime.volumes.inTurn(() => fillVolume(runtime, container, mount));
}

async function fillVolume(runtime: Runtime, container: Container, { volume, destination }: VolumeMount): Promise<void> {
  const folder = runtime.volumes.folder(volume);
  const files = join(folder, VOLUME_FILES);
  const whole = join(folder, 'filled');
  if (!existsSync(whole)) {
    if (readdirSync(files).length > 0) return;
    const image = openInImage(runtime, container, destination);
    if (image === undefined) return;
    try {
      const aside = join(folder, 'filling');
      await copyAside(runtime, image, aside);
      await runtime.volumes.flush(volume);
      renameSync(aside, whole);
    } finally {
      closeSync(image);
    }
  }
  moveInto(files, whole);
}

async function copyAside(runtime: Runtime, image: number, aside: string): Promise<void> {
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside);
  const root = openSync(aside, 'r');
  try {
    await unpack(runtime.kernel, archive(runtime, image), { root, folder: Buffer.from('.') });
  } finally {
    closeSync(root);
  }
  const { uid, gid, mode } = fstatSync(image);
  chownSync(aside, uid, gid);
  chmodSync(aside, mode & 0o7777);
}

function moveInto(files: string, whole: string): void {
  for (const name of readdirSync(whole, { encoding: 'buffer' })) {
    const [from, to] = [whole, files].map((folder) => Buffer.concat([Buffer.from(`${folder}/`), name]));
    if (from && to && lstatSync(to, { throwIfNoEntry: false }) === undefined) renameSync(from, to);
  }
  const { uid, gid, mode } = lstatSync(whole);
  chownSync(files, uid, gid);
  chmodSync(files, mode & 0o7777);
  rmSync(whole, { recursive: true });
}

async function* archive(runtime: Runtime, image: number): AsyncGenerator<Buffer> {
  yield* packFolder(runtime, image);
  yield tarEnd();
}

/** The image's folder at this path, links followed within the image; undefined where it has none. */
function openInImage(runtime: Runtime, container: Container, path: string): number | undefined {
  const root = runtime.kernel.openTree(stoppedRoot(runtime, container), 'image');
  try {
    return runtime.kernel.openFolder(root, Buffer.from(path), 'read');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  } finally {
    closeSync(root);
  }
}
