import { Readable } from 'node:stream';
import * as v from 'valibot';
import { FileChange } from '../../../guest-agent/api.ts';
import { MalformedTar } from '../../../guest-agent/tar/entry.ts';
import { NestError } from '../../errors.ts';
import { checkedTar } from '../../images/checked-tar.ts';
import type { Context } from '../context.ts';
import { boundedLines } from '../guests/bounded-lines.ts';
import type { Container } from '../state/record.ts';
import { agentOf } from './agent.ts';

/** What the container did to its image's files, parents first. */
export async function containerChanges(ctx: Context, container: Container, signal: AbortSignal): Promise<FileChange[]> {
  const stream = await read(ctx, container, 'changes', signal);
  const changes: FileChange[] = [];
  for await (const line of boundedLines(stream, CHANGE_LIMIT)) {
    if (changes.length === CHANGES_LIMIT)
      throw new NestError('no-room', `compare container \`${container.record.name}\`: over ${CHANGES_LIMIT} changes`);
    changes.push(v.parse(FileChange, JSON.parse(line)));
  }
  return changes;
}

/** All files that the container sees, as a tar. */
export async function exportContainer(ctx: Context, container: Container, signal: AbortSignal): Promise<Readable> {
  const stream = await read(ctx, container, 'export', signal);
  return Readable.from(fromGuest(container, checkedTar(stream)), { objectMode: false });
}

/** What the container wrote, as the tar of a layer. */
export async function containerLayer(
  ctx: Context,
  container: Container,
  signal: AbortSignal,
): Promise<AsyncIterable<Buffer>> {
  return fromGuest(container, checkedTar(await read(ctx, container, 'layer', signal)));
}

async function read(ctx: Context, container: Container, what: string, signal: AbortSignal): Promise<Readable> {
  const agent = await agentOf(ctx, container);
  return agent.read({ method: 'GET', path: `/v1/containers/${container.record.id}/${what}`, signal });
}

export async function* fromGuest({ record }: Container, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* source;
  } catch (error) {
    if (!(error instanceof MalformedTar)) throw error;
    throw new NestError('guest-lost', `read the files of container \`${record.name}\`: ${error.message}`, {
      hint: 'The container holds what no image may hold, or its guest is not to be trusted.',
      cause: error,
    });
  }
}

/** A FileChange as JSON, whose path may be escaped. */
const CHANGE_LIMIT = 128 * 1024;
const CHANGES_LIMIT = 1_000_000;
