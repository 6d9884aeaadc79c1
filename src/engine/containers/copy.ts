import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { ErrorReply, FileStat } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import { checkedTar } from '../../images/checked-tar.ts';
import type { Trunk } from '../../trunk/trunk.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { agentOf } from './agent.ts';
import { fromGuest } from './files.ts';

/** What a path in a container is, its last link not followed. @throws NestError `not-found`. */
export async function statFile(ctx: Context, container: Container, path: string): Promise<FileStat> {
  const agent = await agentOf(ctx, container);
  return agent.request({ method: 'GET', path: route(container, 'stat', path) }, FileStat);
}

/** A file or folder as a tar, in which nothing leaves the folder that it is unpacked in. */
export async function copyOut(
  ctx: Context,
  container: Container,
  path: string,
  signal: AbortSignal,
): Promise<Readable> {
  const agent = await agentOf(ctx, container);
  const stream = await agent.read({ method: 'GET', path: route(container, 'archive', path), signal });
  return Readable.from(fromGuest(container, checkedTar(stream)), { objectMode: false });
}

/** Unpacks a tar into a folder of the container. @throws NestError `not-found`, `invalid-input`, `conflict`. */
export async function copyIn(
  ctx: Context,
  container: Container,
  { path, archive, signal }: { path: string; archive: Readable; signal: AbortSignal },
): Promise<void> {
  const agent = await agentOf(ctx, container);
  const what = `container \`${container.record.name}\``;
  await sendArchive(agent, { path: route(container, 'unpack', path), what, archive, signal });
}

/** @param path of the agent's route that unpacks it */
export async function sendArchive(
  agent: Trunk,
  { path, what, archive, signal }: { path: string; what: string; archive: Readable; signal?: AbortSignal | undefined },
): Promise<void> {
  const over = new AbortController();
  const ended = AbortSignal.any([over.signal, ...(signal ? [signal] : [])]);
  const stream = await agent.open({ method: 'POST', path, ...(signal && { signal }) });
  let failure: unknown;
  archive.once('error', (error) => (failure = error));
  const broken = pipeline(archive, stream, { signal: ended }).then(
    () => undefined,
    (error: unknown) => error,
  );
  const result = await readResult(stream);
  over.abort();
  if (result === '{}') return;
  const refusal = v.safeParse(v.pipe(v.string(), v.parseJson(), ErrorReply), result);
  if (refusal.success) throw new NestError('invalid-input', refusal.output.message);
  signal?.throwIfAborted();
  if (failure !== undefined) throw unreadable(what, failure);
  throw new NestError('guest-lost', `copy to ${what}: it broke off`, { cause: await broken });
}

/** The archive broke off before the guest did. */
function unreadable(what: string, cause: unknown): unknown {
  if (cause instanceof NestError) return cause;
  return new NestError('invalid-input', `copy to ${what}: ${(cause as Error).message}`, {
    hint: 'What is copied must be whole, and readable for the user of the engine.',
    cause,
  });
}

/** What the guest says at the end, '' when it breaks off. */
async function readResult(stream: Readable): Promise<string> {
  let text = '';
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      text += chunk.toString('utf8');
      if (text.length > RESULT_LIMIT) return '';
    }
    return text;
  } catch {
    return '';
  }
}

function route({ record }: Container, verb: string, path: string): string {
  return `/v1/containers/${record.id}/${verb}?path=${encodeURIComponent(path)}`;
}

const RESULT_LIMIT = 64 * 1024;
