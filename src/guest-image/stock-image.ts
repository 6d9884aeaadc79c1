import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { NestError } from '../errors.ts';
import type { Paths } from '../paths.ts';
import type { Progress } from '../progress.ts';
import { run } from './run.ts';
import { openWorkFolder } from './work-folder.ts';

/**
 * A disk image of a distribution, which boots by itself and has systemd, sshd and cloud-init. On disk, below
 * `paths.stockImages`:
 *
 *     <name>/<digest>/{disk.qcow2,image.json}   complete and never changed; image.json's time is when it was last added
 */
export interface StockImage {
  name: string;
  /** SHA-256 of the file that was added. */
  digest: string;
  /** A qcow2 that needs no other file, mode 0444: guests have disks over it. */
  disk: string;
  /** Bytes. */
  size: number;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/**
 * Takes in a disk image, qcow2 or raw. Other formats that QEMU reads may be texts that name files of this host (CVE-2022-47951).
 *
 * @throws NestError `image-invalid` for what cannot boot, or would have QEMU read another file of this host
 */
export async function addStockImage(
  paths: Paths,
  name: string,
  content: Readable,
  { progress, signal }: { progress: Progress; signal?: AbortSignal | undefined },
): Promise<StockImage> {
  checkName(name);
  const folder = path.join(paths.stockImages, name);
  await using work = await openWorkFolder(paths.stockImages);
  const upload = path.join(work.folder, 'upload');
  const hash = createHash('sha256');
  await progress.step('Read disk image', () =>
    pipeline(
      content,
      async function* (source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(upload),
      { signal },
    ),
  );
  const digest = hash.digest('hex');
  const result = path.join(work.folder, digest);
  await mkdir(result);
  await progress.step('Make it a qcow2', () => convert(name, upload, path.join(result, DISK), signal));
  await writeFile(path.join(result, RECORD), JSON.stringify({ name, digest }), { mode: 0o444 });
  await chmod(path.join(result, DISK), 0o444);
  for (const each of [result, folder]) {
    await mkdir(each, { recursive: true });
    await chmod(each, 0o755); // QEMU may run as another user, whatever this one's umask
  }
  // One that guests use stays as it is; its record makes it the one that the name means.
  if ((await readImage(path.join(folder, digest))) === undefined) await rename(result, path.join(folder, digest));
  else await rename(path.join(result, RECORD), path.join(folder, digest, RECORD));
  const image = await readImage(path.join(folder, digest));
  if (image === undefined) throw new Error(`store stock image \`${name}\`: it cannot be read back`);
  return image;
}

/** What was last added under this name. @throws NestError `guest-image-missing` */
export async function findStockImage(paths: Paths, name: string): Promise<StockImage> {
  const [newest] = (await stockImages(paths)).filter((image) => image.name === name);
  if (newest !== undefined) return newest;
  throw new NestError('guest-image-missing', `find stock image \`${name.slice(0, 64)}\`: there is none of that name`, {
    hint: 'See those that are here: nest guest-image list; add one: nest guest-image add FILE',
  });
}

/** Newest first. */
export async function stockImages(paths: Paths): Promise<StockImage[]> {
  const names = (await entries(paths.stockImages)).filter((name) => NAME.test(name));
  const folders = names.map(async (name) => {
    const parent = path.join(paths.stockImages, name);
    return (await entries(parent)).map((digest) => path.join(parent, digest));
  });
  const images = await Promise.all((await Promise.all(folders)).flat().map(readImage));
  return images.filter((image) => image !== undefined).sort((a, b) => b.createdAt - a.createdAt);
}

/** Removes all that was added under this name. No guest may have a disk over it. */
export async function removeStockImage(paths: Paths, name: string): Promise<void> {
  checkName(name);
  await rm(path.join(paths.stockImages, name), { recursive: true, force: true });
}

async function readImage(folder: string): Promise<StockImage | undefined> {
  try {
    const file = path.join(folder, RECORD);
    const record = v.parse(RecordFile, JSON.parse(await readFile(file, 'utf8')));
    const disk = path.join(folder, DISK);
    return { ...record, disk, size: (await stat(disk)).size, createdAt: Math.floor((await stat(file)).mtimeMs) };
  } catch {
    return undefined;
  }
}

async function convert(name: string, file: string, target: string, signal?: AbortSignal): Promise<void> {
  const refuse = (why: string) =>
    new NestError('image-invalid', `add stock image \`${name}\`: ${why}`, {
      hint: "Give a distribution's cloud image: a disk with systemd, sshd and cloud-init, as a qcow2 or raw file.",
    });
  const told = await run('qemu-img', ['info', '--output=json', file], { signal });
  const { format, ...info } = v.parse(ImageInfo, JSON.parse(told));
  if (format !== 'qcow2' && format !== 'raw') throw refuse(`it is of format ${format}`);
  if (info['backing-filename'] !== undefined || info['format-specific']?.data?.['data-file'] !== undefined)
    throw refuse('it needs another file');
  if (info.encrypted === true) throw refuse('it is encrypted');
  if (format === 'raw' && !(await canBoot(file))) throw refuse('it is no disk that can boot');
  if (format === 'qcow2') await rename(file, target);
  else await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', file, target], { signal });
}

/** Whether it begins as a disk with a boot sector does, as those with GUID partitions do too (UEFI, 5.2.3). */
async function canBoot(file: string): Promise<boolean> {
  await using handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(512), 0, 512, 0);
  return bytesRead === 512 && buffer.readUInt16LE(510) === 0xaa55;
}

function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new NestError('invalid-input', `take \`${name.slice(0, 64)}\` for a stock image's name`, {
    hint: 'letters, digits, _ . and -, at most 63, beginning with a letter or digit',
  });
}

function entries(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;
const DISK = 'disk.qcow2';
const RECORD = 'image.json';
const RecordFile = v.object({ name: v.string(), digest: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) });

/** `qemu-img info --output=json`. */
const ImageInfo = v.object({
  format: v.string(),
  'backing-filename': v.optional(v.string()),
  encrypted: v.optional(v.boolean()),
  'format-specific': v.optional(v.object({ data: v.optional(v.object({ 'data-file': v.optional(v.string()) })) })),
});
