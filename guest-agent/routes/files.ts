import { containerArchive } from '../container/archive.ts';
import { containerChanges } from '../container/changes.ts';
import { findContainer } from '../container/container.ts';
import { sendAll } from './output.ts';
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

  async 'GET /v1/containers/:id/export'({ runtime, params, stream }) {
    await sendAll(stream, gathered(containerArchive(runtime, findContainer(runtime, params.id), 'whole')));
    return undefined;
  },
};

function* lines(values: Iterable<unknown>): Generator<Buffer> {
  for (const value of values) yield Buffer.from(`${JSON.stringify(value)}\n`);
}

/** Small pieces together: each one sent costs a frame on the trunk. */
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
