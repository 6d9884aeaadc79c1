import { open } from 'node:fs/promises';

/**
 * Writes bytes to a disk, from its beginning, and has the disk keep them.
 *
 * @returns how many
 * @throws ENOSPC when they are more than it holds
 */
export async function writeToDisk(disk: string, source: AsyncIterable<Buffer>): Promise<number> {
  await using handle = await open(disk, 'r+');
  let bytes = 0;
  for await (const chunk of source) {
    for (let written = 0; written < chunk.length;)
      written += (await handle.write(chunk, written, chunk.length - written, bytes + written)).bytesWritten;
    bytes += chunk.length;
  }
  await handle.sync();
  return bytes;
}
