import { run } from './run.ts';

/**
 * Packs a folder as a squashfs that has the same bytes for the same tree: owner root, time zero, no extended attributes;
 * mksquashfs sorts by name. mksquashfs(1).
 *
 * @param blockSize bytes; a page fault decompresses a whole block
 */
export async function makeSquashfs(folder: string, file: string, options: { signal?: AbortSignal | undefined } = {}) {
  await run(
    'mksquashfs',
    [
      folder,
      file,
      '-noappend',
      '-all-root',
      '-all-time',
      '0',
      '-mkfs-time',
      '0',
      '-no-xattrs',
      '-no-exports',
      ...COMPRESSION,
    ],
    options,
  );
}

const COMPRESSION = ['-comp', 'zstd', '-Xcompression-level', '15', '-b', '128K', '-no-progress', '-quiet'];
