import type { ContainerCreateOptions } from 'dockerode';
import * as v from 'valibot';
import { NestError } from '../errors.ts';
import { progressTo } from '../progress.ts';
import type { Engine } from './connect.ts';
import { requestJson } from './http.ts';
import { pullImage } from './image-transfer.ts';
import type { ProgressView } from './terminal/progress-view.ts';

export interface CreateOptions {
  /** When to bring the image from its registry. */
  pull: 'missing' | 'always' | 'never';
  view: ProgressView;
  signal: AbortSignal;
}

/** Creates a container and returns its id; as Docker's CLI does, it pulls an image that the host lacks. */
export async function createContainer(
  engine: Engine,
  body: ContainerCreateOptions,
  { pull, view, signal }: CreateOptions,
): Promise<string> {
  if (pull === 'always') await pullWithView(engine, body.Image ?? '', view, signal);
  try {
    return await create(engine, body, signal);
  } catch (error) {
    if (pull !== 'missing' || !isImageMissing(error)) throw error;
    await pullWithView(engine, body.Image ?? '', view, signal);
    return await create(engine, body, signal);
  }
}

/** Shows what the engine does for a zone: a create may boot a guest, and Docker's reply has no room to tell. */
export function watchZone(engine: Engine, zone: string, view: ProgressView): AsyncDisposable {
  const end = new AbortController();
  const watched = engine.nest.watch(zone, (event) => view.show(event), end.signal);
  return {
    async [Symbol.asyncDispose]() {
      end.abort();
      await watched;
      await view.end();
    },
  };
}

/** Not through dockerode: an aborted create may have made a container all the same, and its id is what tells. */
async function create(engine: Engine, { name, ...body }: ContainerCreateOptions, signal: AbortSignal): Promise<string> {
  const path = `/containers/create${name === undefined ? '' : `?name=${encodeURIComponent(name)}`}`;
  const asked = { method: 'POST', path, body, signal, settles: true } as const;
  const { Id: id } = await requestJson(engine.paths.engineSocket, asked, Created);
  if (signal.aborted) await removeLeftover(engine, id);
  signal.throwIfAborted();
  return id;
}

/** A container that never ran does not end, so nothing else would remove it. */
export async function removeLeftover(engine: Engine, id: string): Promise<void> {
  try {
    await engine.docker((docker) => docker.getContainer(id).remove({ force: true, v: true }));
  } catch (error) {
    if (!(error instanceof NestError) || !['not-found', 'conflict'].includes(error.code)) throw error;
  }
}

async function pullWithView(engine: Engine, image: string, view: ProgressView, signal: AbortSignal): Promise<void> {
  // The engine, which tells of the zone in the same view, counts its steps from 1: these count downwards.
  const progress = progressTo((event) => view.show(event.type === 'step' ? { ...event, id: -event.id } : event));
  await pullImage(engine, image, { progress, signal });
}

function isImageMissing(error: unknown): boolean {
  return error instanceof NestError && error.code === 'image-not-found';
}

const Created = v.object({ Id: v.string() });
