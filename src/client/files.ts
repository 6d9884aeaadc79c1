import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import type { Engine } from './connect.ts';
import { toStdout } from './output.ts';

/** One file that a container added, changed or deleted. */
export interface Change {
  kind: 'A' | 'C' | 'D';
  path: string;
}

export async function containerChanges(engine: Engine, name: string, signal: AbortSignal): Promise<Change[]> {
  const reply: unknown = await engine.docker((docker) => docker.getContainer(name).changes({ abortSignal: signal }));
  return v.parse(Changes, reply ?? []).map(({ Path, Kind }) => ({ path: Path, kind: KINDS[Kind] }));
}

/**
 * Writes all files of a container into `file`, `-` for stdout. The file appears when it is whole.
 *
 * @returns bytes
 */
export async function exportContainer(
  engine: Engine,
  name: string,
  { file, signal, onSize }: { file: string; signal: AbortSignal; onSize: (bytes: number) => void },
): Promise<number> {
  const reply = await engine.docker((docker) => docker.getContainer(name).export({ abortSignal: signal }));
  let size = 0;
  const counted = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      size += chunk.length;
      onSize(size);
      yield chunk;
    }
  };
  const content = Readable.from(counted(Readable.from(reply)));
  if (file === '-') {
    await toStdout(content, signal);
    return size;
  }
  const unfinished = `${file}.${process.pid}.part`;
  try {
    await pipeline(content, createWriteStream(unfinished, { flags: 'wx' }), { signal });
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  return size;
}

/** @returns the image's id */
export async function commitContainer(
  engine: Engine,
  name: string,
  {
    image,
    author,
    message,
    changes,
    pause,
  }: { image: string | undefined; author: string; message: string; changes: string[]; pause: boolean },
  signal: AbortSignal,
): Promise<string> {
  const [, repo = image, tag] = /^(.*?)(?::([\w][\w.-]*))?$/.exec(image ?? '') ?? [];
  const options = { repo, tag, author, comment: message, changes, pause, abortSignal: signal };
  const reply: unknown = await engine.docker((docker) => docker.getContainer(name).commit(options));
  return v.parse(v.object({ Id: v.string() }), reply).Id;
}

const KINDS = ['C', 'A', 'D'] as const;
const Changes = v.array(v.object({ Path: v.string(), Kind: v.picklist([0, 1, 2]) }));
