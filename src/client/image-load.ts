import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { ErrorBody } from '../api.ts';
import { NestError } from '../errors.ts';
import type { Engine } from './connect.ts';
import { lines } from './ndjson.ts';

/** Called with what an image stream tells, e.g. `5f70bf18a086: Extracting`. */
export type OnImageEvent = (text: string) => void;

/**
 * Sends images to the engine: a docker or OCI archive, an OCI layout folder (as an archive of it), or `-` for stdin.
 * Returns the names that the engine reports.
 */
export async function loadImages(
  engine: Engine,
  source: string,
  onEvent: OnImageEvent,
  signal: AbortSignal,
): Promise<string[]> {
  const archive = await openSource(source);
  try {
    const reply = await engine.docker((docker) => docker.loadImage(archive, { abortSignal: signal }));
    return (await readEvents(Readable.from(reply), onEvent)).flatMap((text) => {
      const name = /^Loaded image(?: ID)?: (.+)$/.exec(text)?.[1];
      return name === undefined ? [] : [name];
    });
  } finally {
    archive.destroy();
  }
}

/** Brings an image from its registry into the engine's store. */
export async function pullImage(
  engine: Engine,
  reference: string,
  onEvent: OnImageEvent,
  signal: AbortSignal,
): Promise<void> {
  const reply = await engine.docker((docker) => docker.pull(reference, { abortSignal: signal }));
  await readEvents(Readable.from(reply), onEvent);
}

async function openSource(source: string): Promise<Readable> {
  if (source === '-') return process.stdin;
  const kind = await stat(source).catch((cause: unknown) => {
    throw new NestError('not-found', `read \`${source}\`: no such file or folder`, { cause });
  });
  return kind.isDirectory() ? packLayout(source) : createReadStream(source);
}

/** An OCI layout folder as the archive of it (image-spec, image-layout.md). */
async function packLayout(folder: string): Promise<Readable> {
  const { pack: tarPack } = await import('tar-stream');
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  if (!files.some(({ name }) => name === 'oci-layout'))
    throw new NestError('image-invalid', `read \`${folder}\`: not an OCI layout, it has no oci-layout file`, {
      hint: 'Name an archive made by `docker save`, or a folder made by `skopeo copy … oci:DIR`.',
    });
  const pack = tarPack();
  const fill = async () => {
    for (const file of files.filter((entry) => entry.isFile())) {
      const location = path.join(file.parentPath, file.name);
      const { size } = await stat(location);
      await pipeline(createReadStream(location), pack.entry({ name: path.relative(folder, location), size }));
    }
    pack.finalize();
  };
  fill().catch((error: unknown) => pack.destroy(error as Error));
  return Readable.from(pack);
}

/** Hands on each message until the end; a message with an error ends it. */
async function readEvents(reply: Readable, onEvent: OnImageEvent): Promise<string[]> {
  const texts: string[] = [];
  for await (const line of lines(reply)) {
    const message = v.parse(Message, JSON.parse(line));
    if (message.error !== undefined) {
      const { code, hint } = message.errorDetail ?? {};
      throw new NestError(code ?? 'image-invalid', message.error, hint === undefined ? {} : { hint });
    }
    const text = (message.stream ?? message.status ?? '').trim();
    if (text === '') continue;
    texts.push(text);
    onEvent(message.id === undefined ? text : `${message.id}: ${text}`);
  }
  return texts;
}

/** One line of Docker's progress; nest's engine adds code and hint to the detail of an error. */
const Message = v.object({
  stream: v.optional(v.string()),
  status: v.optional(v.string()),
  id: v.optional(v.string()),
  error: v.optional(v.string()),
  errorDetail: v.optional(v.partial(ErrorBody)),
});
