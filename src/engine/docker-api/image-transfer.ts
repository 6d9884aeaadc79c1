import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { asNestError, NestError } from '../../errors.ts';
import { familiarName, type Image, type ImageSource } from '../../images/images.ts';
import { progressTo, type Progress } from '../../progress.ts';
import type { Context } from '../context.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { nameOf } from './image-json.ts';
import { imageProgress } from './image-progress.ts';
import { named } from './images.ts';
import { registryAuth } from './registry-auth.ts';

/** How images come and go. @param uploads folder for archives on their way in; emptied when the engine starts. */
export function imageTransferRoutes(ctx: Context, uploads: string): Route[] {
  return [
    { method: 'POST', path: '/images/load', handle: (call) => load(ctx, uploads, call) },
    { method: 'POST', path: '/images/create', handle: (call) => pull(ctx, uploads, call) },
    { method: 'POST', path: '/images/:name(.+)/push', handle: (call) => push(ctx, uploads, call) },
    { method: 'GET', path: '/images/get', handle: ({ query }) => save(ctx, query.getAll('names')) },
    { method: 'GET', path: '/images/:name(.+)/get', handle: ({ params }) => save(ctx, [params['name'] ?? '']) },
  ];
}

/**
 * The upload is spooled: reading an archive needs to go back and forth in it. `name` in the query is what the user calls
 * the file; it is nest's own.
 */
async function load(ctx: Context, uploads: string, call: Call): Promise<Reply> {
  await using undo = new AsyncDisposableStack();
  const folder = await temporaryFolder(uploads, undo);
  const file = path.join(folder, 'image.tar');
  await pipeline(call.body, createWriteStream(file, { mode: 0o600 }));
  const spooled = undo.move();
  const source: ImageSource = {
    kind: 'path',
    path: file,
    name: call.query.get('name')?.slice(0, 1000) || 'the archive',
  };
  return imageStream(ctx, spooled, '\n', async (progress, emit) => {
    for (const image of await ctx.images.load(source, progress, call.signal)) {
      for (const name of image.references) emit({ stream: `Loaded image: ${familiarName(name)}\n` });
      if (image.references.length === 0) emit({ stream: `Loaded image ID: ${image.id}\n` });
      tell(ctx, 'load', image);
    }
  });
}

async function pull(ctx: Context, uploads: string, call: Call): Promise<Reply> {
  const name = call.query.get('fromImage') ?? '';
  if (name === '' || call.query.has('fromSrc'))
    throw new NestError('unsupported', 'create image: import is not supported by nest yet', {
      hint: 'give fromImage to pull, or load an archive: nest image load FILE',
    });
  const reference = named(name, call.query.get('tag') ?? '');
  await using undo = new AsyncDisposableStack();
  const authFile = await registryAuth(call, reference, () => temporaryFolder(uploads, undo));
  const source: ImageSource = { kind: 'registry', reference, authFile };
  return imageStream(ctx, undo.move(), '\r\n', async (progress, emit) => {
    const before = new Set((await ctx.images.list()).map(({ id }) => id));
    for (const image of await ctx.images.load(source, progress, call.signal)) {
      const news = before.has(image.id) ? 'Image is up to date for' : 'Downloaded newer image for';
      emit({ status: `Digest: ${image.digests.at(-1) ?? ''}` });
      emit({ status: `Status: ${news} ${reference}` });
      tell(ctx, 'pull', image);
    }
  });
}

async function push(ctx: Context, uploads: string, call: Call): Promise<Reply> {
  const reference = named(call.params['name'] ?? '', call.query.get('tag') ?? '');
  await using undo = new AsyncDisposableStack();
  const authFile = await registryAuth(call, reference, () => temporaryFolder(uploads, undo));
  return imageStream(ctx, undo.move(), '\r\n', async (progress, emit) => {
    const digest = await ctx.images.push(reference, { progress, signal: call.signal, authFile });
    const image = await ctx.images.find(reference);
    emit({ status: `${call.query.get('tag') || 'latest'}: digest: ${digest} size: ${image?.size ?? 0}` });
    emit({
      progressDetail: {},
      aux: { Tag: call.query.get('tag') || 'latest', Digest: digest, Size: image?.size ?? 0 },
    });
    if (image) tell(ctx, 'push', image);
  });
}

async function save(ctx: Context, names: string[]): Promise<Reply> {
  const archive = await ctx.images.save(names);
  return { status: 200, stream: Readable.from(archive, { objectMode: false }), contentType: 'application/x-tar' };
}

/** Work whose error is the last line of a reply with status 200: Docker's clients look for it there. */
function imageStream(
  ctx: Context,
  held: AsyncDisposable,
  lineEnd: string,
  work: (progress: Progress, emit: (value: unknown) => void) => Promise<void>,
): Reply {
  const stream = ctx.work.lines(async (emit) => {
    await using undo = new AsyncDisposableStack();
    undo.use(held);
    try {
      await work(progressTo(imageProgress(emit)), emit);
    } catch (error) {
      const { message, code, hint } = asNestError(error);
      emit({ errorDetail: { message, code, ...(hint !== undefined && { hint }) }, error: message });
    }
  }, lineEnd);
  return { status: 200, stream, contentType: 'application/json' };
}

async function temporaryFolder(uploads: string, undo: AsyncDisposableStack): Promise<string> {
  await mkdir(uploads, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(path.join(uploads, 'image-'));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function tell(ctx: Context, action: 'load' | 'pull' | 'push', image: Image): void {
  ctx.events.emit({ type: 'image', action, id: image.id, attributes: { name: nameOf(image) } });
}
