import { open, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import * as v from 'valibot';

/**
 * The last block of a layer's disk, behind the file system, which does not look there: what the disk is, and the sum of
 * all before. So one file, and one rename, hold a disk and its proof. CRC-32, because it is against disks that decay: who
 * can write here at all needs no collision.
 */
const Seal = v.object({
  diffId: v.string(),
  /** Bytes before the seal. */
  size: v.pipe(v.number(), v.safeInteger()),
  crc32: v.pipe(v.number(), v.safeInteger()),
});

/** Adds the seal to a disk that is complete. */
export async function seal(file: string, diffId: string): Promise<void> {
  await using handle = await open(file, 'r+');
  const { size } = await handle.stat();
  const block = Buffer.alloc(BLOCK);
  block.write(JSON.stringify({ diffId, size, crc32: await sum(handle, size) }));
  await handle.write(block, 0, BLOCK, size);
  await handle.sync();
}

/** What is wrong with a disk; undefined: nothing. @throws the file system's errors other than of reading */
export async function brokenSeal(file: string, diffId: string, signal?: AbortSignal): Promise<string | undefined> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  const block = Buffer.alloc(BLOCK);
  if (size < BLOCK) return 'too short';
  await handle.read(block, 0, BLOCK, size - BLOCK);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Seal), block.toString('latin1').replace(/\0+$/, ''));
  if (!parsed.success || parsed.output.size !== size - BLOCK) return 'it has no seal at its end';
  if (parsed.output.diffId !== diffId) return `it is the disk of ${parsed.output.diffId.slice(0, 19)}`;
  return (await sum(handle, size - BLOCK, signal)) === parsed.output.crc32 ? undefined : 'its content has changed';
}

async function sum(handle: FileHandle, size: number, signal?: AbortSignal): Promise<number> {
  const buffer = Buffer.alloc(1024 * 1024);
  let value = 0;
  for (let at = 0; at < size;) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - at), at);
    if (bytesRead === 0) break;
    value = crc32(buffer.subarray(0, bytesRead), value);
    at += bytesRead;
  }
  return value;
}

/** Of sectors, so that the disk stays one. */
const BLOCK = 4096;
