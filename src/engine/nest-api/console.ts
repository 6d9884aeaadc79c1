import { open, watch } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { guestPaths, type Paths } from '../../paths.ts';
import type { Context } from '../context.ts';
import { count, flag } from '../docker-api/query.ts';
import type { Call, Reply } from '../http/route.ts';
import { findGuest } from './guests.ts';

/** A guest's console: its last lines, then, with `follow`, what it goes on to write. Of one that ended, what was kept. */
export async function consoleReply(ctx: Context, paths: Paths, call: Call): Promise<Reply> {
  const reference = call.params['guest'] ?? '';
  const lines = count(call.query, 'tail') ?? DEFAULT_LINES;
  const guests = await ctx.link.open();
  const guest = await findGuest(ctx, reference).catch(async (error: unknown) => {
    const kept = await guests.lastWords(reference);
    if (kept === undefined) throw error;
    return kept;
  });
  if (typeof guest === 'string') return plain(Readable.from([lastLines(guest, lines)]));
  const file = guestPaths(paths, guest.id).console;
  const from = await fileSize(file);
  const text = await guests.console(guest.id, lines);
  const follow = flag(call.query, 'follow');
  return plain(Readable.from(follow ? joined(text, followFile(file, from, call.signal)) : [text]));
}

function plain(stream: Readable): Reply {
  return { status: 200, stream, contentType: 'text/plain; charset=utf-8' };
}

function lastLines(text: string, count: number): string {
  return count === 0
    ? ''
    : text
        .split(/(?<=\n)/)
        .slice(-count)
        .join('');
}

async function* joined(text: string, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (text !== '') yield Buffer.from(text);
  yield* rest;
}

/** What is written behind `from`, until `signal` aborts; from the beginning again when virtlogd has begun a new file. */
async function* followFile(file: string, from: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  let position = from;
  const changes = watch(file, { signal });
  try {
    for await (const change of changes) {
      // Renamed away or deleted: the watch is on what no longer has this name.
      if (change.eventType === 'rename') return;
      const size = await fileSize(file);
      if (size < position) position = 0;
      const bytes = await readFrom(file, position);
      position += bytes.length;
      if (bytes.length > 0) yield bytes;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function readFrom(file: string, position: number): Promise<Buffer> {
  await using handle = await open(file, 'r');
  const { bytesRead, buffer } = await handle.read({ buffer: Buffer.alloc(CHUNK), position });
  return buffer.subarray(0, bytesRead);
}

async function fileSize(file: string): Promise<number> {
  await using handle = await open(file, 'r');
  return (await handle.stat()).size;
}

const DEFAULT_LINES = 100;
const CHUNK = 64 * 1024;
