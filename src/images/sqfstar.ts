import { chmod, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { NestError } from '../errors.ts';
import { seal } from './seal.ts';
import { runTool, ToolFailed } from './tool.ts';

/**
 * Packs a tar stream into the squashfs `target` (sqfstar(1), squashfs-tools ≥ 4.5). The file appears complete, mode 0444
 * and on disk, or not at all; a leftover `*.tmp` beside it is free to be removed by whoever finds it.
 *
 * The same tar gives the same bytes. sqfstar stamps the root directory with the current time and ignores -root-time
 * (4.5.1); SOURCE_DATE_EPOCH bounds that time, and since it is the newest file's it changes nothing else. Nobody sees
 * the root's owner and time: overlayfs shows those of the container's own upper directory.
 *
 * lz4, because a container's start reads through it: it packs 20 times faster than zstd or gzip, for 1.6 times the size.
 *
 * @param id of the disk; goes into the seal (seal.ts).
 * @param newest seconds since 1970 of the newest entry in `tar`.
 * @param size bytes of the files in `tar`.
 */
export async function packSquashfs(
  tar: AsyncIterable<Buffer>,
  target: string,
  { id, newest, size, signal }: { id: string; newest: number; size: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const temporary = `${target}.${process.pid}.tmp`;
  const flags = [
    '-comp',
    'lz4',
    '-b',
    String(blockSize(size)),
    '-mem',
    '64M',
    '-root-mode',
    '755',
    '-exit-on-error',
    '-no-progress',
    '-quiet',
  ];
  try {
    const warnings = await runTool('sqfstar', [...flags, temporary], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(newest) },
      input: Readable.from(tar, { objectMode: false, highWaterMark: 256 * 1024 }),
      signal,
    });
    // sqfstar skips what it does not understand, says so, and succeeds. The stream is ours: it must understand all of it.
    if (warnings !== '') throw new ToolFailed('sqfstar', 'left something out', warnings);
    await seal(temporary, id);
    await chmod(temporary, 0o444);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    if (error instanceof ToolFailed && error.stderr.includes('No space left on device'))
      throw new NestError('no-room', `write \`${target}\`: no space left on device`, {
        hint: 'Free disk space in the data directory, then run the same command again.',
        cause: error,
      });
    throw error;
  }
}

/**
 * Each mounted squashfs keeps about ten blocks in the guest's memory (fs/squashfs/super.c), 1.3 MiB at 128 KiB: as much as
 * hundreds of small layers, of which most images consist, hold together. So small ones get small blocks.
 *
 * @returns a power of two from 4 KiB to 128 KiB
 */
function blockSize(size: number): number {
  const fitting = 2 ** Math.floor(Math.log2(Math.max(1, size / BLOCKS)));
  return Math.min(128 * 1024, Math.max(4096, fitting));
}

const BLOCKS = 64;
