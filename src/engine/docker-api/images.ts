import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { asNestError, NestError } from '../../errors.ts';
import type { Image, ImageSource } from '../../images/images.ts';
import { progressTo, type ProgressEvent } from '../../progress.ts';
import { findImage } from '../containers/create.ts';
import type { Context } from '../context.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { familiarName, imageDetails, imageSummary } from './image-json.ts';
import { filters, matchesLabels } from './query.ts';

/** The images of this host. @param uploads folder for archives on their way in; emptied when the engine starts. */
export function imageRoutes(ctx: Context, uploads: string): Route[] {
  return [
    { method: 'GET', path: '/images/json', handle: (call) => list(ctx, call) },
    {
      method: 'GET',
      path: '/images/:name(.+)/json',
      handle: async ({ params }) => ({ status: 200, json: imageDetails(await findImage(ctx, params['name'] ?? '')) }),
    },
    { method: 'POST', path: '/images/load', handle: (call) => load(ctx, uploads, call) },
    { method: 'POST', path: '/images/create', handle: (call) => pull(ctx, call) },
  ];
}

async function list(ctx: Context, { query }: Call): Promise<Reply> {
  const wanted = filters(query, ['reference', 'label']);
  const references = wanted.get('reference') ?? [];
  const images = await ctx.images.list();
  const named = new Set(await Promise.all(references.map(async (name) => (await ctx.images.find(name))?.id)));
  const kept = images
    .filter(({ id }) => references.length === 0 || named.has(id))
    .filter(({ config }) => matchesLabels(config.Labels, wanted.get('label')));
  return { status: 200, json: kept.map(imageSummary) };
}

/** The upload is spooled: reading an archive needs to go back and forth in it. */
async function load(ctx: Context, uploads: string, call: Call): Promise<Reply> {
  await using undo = new AsyncDisposableStack();
  await mkdir(uploads, { recursive: true });
  const folder = await mkdtemp(path.join(uploads, 'image-'));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'image.tar');
  await pipeline(call.body, createWriteStream(file, { mode: 0o600 }));
  const spooled = undo.move();
  const stream = ctx.work.lines((emit) =>
    bringIn(ctx, { kind: 'path', path: file }, 'load', emit, call.signal).finally(() => spooled.disposeAsync()),
  );
  return { status: 200, stream, contentType: 'application/json' };
}

function pull(ctx: Context, call: Call): Reply {
  const name = call.query.get('fromImage') ?? '';
  if (name === '' || call.query.has('fromSrc'))
    throw new NestError('unsupported', 'create image: import is not supported by nest yet', {
      hint: 'give fromImage to pull, or load an archive: nest image load FILE',
    });
  const tag = call.query.get('tag') ?? '';
  const reference = tag === '' ? name : `${name}${tag.startsWith('sha256:') ? '@' : ':'}${tag}`;
  const stream = ctx.work.lines(
    (emit) => bringIn(ctx, { kind: 'registry', reference }, 'pull', emit, call.signal),
    '\r\n',
  );
  return { status: 200, stream, contentType: 'application/json' };
}

/** An error is the last line of a reply whose status was 200 already: Docker's clients look for it there. */
async function bringIn(
  ctx: Context,
  source: ImageSource,
  action: 'load' | 'pull',
  emit: (value: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    const images = await ctx.images.load(
      source,
      progressTo((event) => {
        if (event.type !== 'step' || event.state !== 'done') emit(dockerProgress(event));
      }),
      signal,
    );
    for (const image of images) {
      for (const line of doneLines(image, action)) emit(line);
      ctx.events.emit({ type: 'image', action, id: image.id, attributes: { name: nameOf(image) } });
    }
  } catch (error) {
    const { message, code, hint } = asNestError(error);
    emit({ errorDetail: { message, code, ...(hint !== undefined && { hint }) }, error: message });
  }
}

function dockerProgress(event: ProgressEvent): unknown {
  if (event.type === 'warning') return { status: `Warning: ${event.message}` };
  if (event.state === 'failed') return { status: `${event.title}: failed` };
  return { status: event.detail === undefined ? event.title : `${event.title}: ${event.detail}` };
}

function doneLines(image: Image, action: 'load' | 'pull'): unknown[] {
  const name = nameOf(image);
  if (action === 'load') return [{ stream: `Loaded image: ${name}\n` }];
  return [{ status: `Digest: ${image.id}` }, { status: `Status: Image is up to date for ${name}` }];
}

function nameOf(image: Image): string {
  const [reference] = image.references;
  return reference === undefined ? image.id : familiarName(reference);
}
