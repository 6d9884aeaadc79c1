import { open } from 'node:fs/promises';
import { guestPaths, type Paths } from '../paths.ts';

/**
 * The last lines that the guest wrote. virtlogd bounds the file by starting a new one and keeping the old as `.0`
 * (virtlogd.conf, max_size), so the newest lines may be in two files.
 */
export async function consoleTail(paths: Paths, guestId: string, lines: number): Promise<string> {
  const { console: file } = guestPaths(paths, guestId);
  const newest = await tail(file, LIMIT);
  const text = newest.length < LIMIT ? (await tail(`${file}.0`, LIMIT - newest.length)) + newest : newest;
  const all = text.split('\n');
  if (all.at(-1) === '') all.pop();
  return lines === 0 ? '' : all.slice(-lines).join('\n');
}

/** At most `limit` bytes from the end; nothing where there is no file, which is so before the first start. */
async function tail(file: string, limit: number): Promise<string> {
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.min(size, limit));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** Bytes: a guest chooses how long its lines are. */
const LIMIT = 256 * 1024;
