import type { ServerHttp2Stream } from 'node:http2';
import * as v from 'valibot';
import { ContainerId, type ErrorReply, type LayerSize, ScratchDisk } from '../api.ts';
import { receiveCopy } from '../container/copies.ts';
import { containerArchive } from '../container/archive.ts';
import { containerChanges } from '../container/changes.ts';
import { findContainer } from '../container/container.ts';
import { copyIn, copyOut, statFile } from '../container/copy.ts';
import { writeToDisk } from '../container/write-layer.ts';
import { parse, readBody } from './input.ts';
import { respondStream, sendAll } from './output.ts';
import type { Routes } from './router.ts';

/** What is in containers' files. */
export const fileRoutes: Routes = {
  async 'GET /v1/containers/:id/changes'({ runtime, params, stream }) {
    const container = findContainer(runtime, params.id);
    await sendAll(stream, gathered(lines(containerChanges(runtime, container))));
    return undefined;
  },

  async 'GET /v1/containers/:id/layer'({ runtime, params, stream }) {
    await sendAll(stream, gathered(containerArchive(runtime, findContainer(runtime, params.id), 'upper')));
    return undefined;
  },

  async 'PUT /v1/containers/:id/layer'({ runtime, params, stream }) {
    const container = findContainer(runtime, params.id);
    const { serial } = await readBody(stream, ScratchDisk);
    const disk = await runtime.kernel.findDisk(serial);
    const bytes = await writeToDisk(disk, gathered(containerArchive(runtime, container, 'upper')));
    return { status: 200, body: { bytes } satisfies LayerSize };
  },

  async 'GET /v1/containers/:id/export'({ runtime, params, stream }) {
    await sendAll(stream, gathered(containerArchive(runtime, findContainer(runtime, params.id), 'whole')));
    return undefined;
  },

  'GET /v1/containers/:id/stat': async ({ runtime, params, query }) => ({
    status: 200,
    body: await statFile(runtime, findContainer(runtime, params.id), query.get('path') ?? ''),
  }),

  async 'GET /v1/containers/:id/archive'({ runtime, params, query, stream }) {
    const container = findContainer(runtime, params.id);
    await copyOut(runtime, container, query.get('path') ?? '', (archive) => sendAll(stream, gathered(archive)));
    return undefined;
  },

  /** The headers say that the folder is there, and that the archive may come. */
  async 'POST /v1/containers/:id/unpack'({ runtime, params, query, stream }) {
    const container = findContainer(runtime, params.id);
    await unpacking(stream, (archive) => copyIn(runtime, container, query.get('path') ?? '', archive));
    return undefined;
  },

  async 'POST /v1/copies/:id/:copy'({ runtime, params, stream }) {
    const id = parse(ContainerId, params.id, 'container id');
    const index = parse(v.pipe(v.string(), v.regex(/^\d{1,2}$/), v.toNumber()), params.copy, 'copy');
    await unpacking(stream, (archive) => receiveCopy(runtime, id, index, archive));
    return undefined;
  },
};

/** Takes the archive in the request's body, and says at the end how it went. */
async function unpacking(
  stream: ServerHttp2Stream,
  unpack: (archive: () => AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> {
  const archive = () => {
    respondStream(stream, 'application/json');
    return stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  };
  try {
    await unpack(archive);
    stream.end('{}');
  } catch (error) {
    if (!stream.headersSent) throw error;
    const message = error instanceof Error ? error.message : String(error);
    stream.end(JSON.stringify({ message: message.slice(0, 2000) } satisfies ErrorReply));
    // The rest is of no interest, and would keep the stream open.
    stream.resume();
  }
}

function* lines(values: Iterable<unknown>): Generator<Buffer> {
  for (const value of values) yield Buffer.from(`${JSON.stringify(value)}\n`);
}

/** Small pieces together: each one costs a frame on the trunk, or a write. */
async function* gathered(source: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const part of source) {
    parts.push(part);
    size += part.length;
    if (size < ENOUGH) continue;
    yield Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(parts);
}

const ENOUGH = 128 * 1024;
