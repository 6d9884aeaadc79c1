import type { Duplex, Readable } from 'node:stream';
import type { TerminalSize } from '../../../guest-agent/api.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { agentOf } from './agent.ts';
import { checkedFrames, type Selection } from './frames.ts';

export interface LogOptions extends Selection {
  follow: boolean;
  timestamps: boolean;
  /** Lines from the end; undefined for all. */
  tail: number | undefined;
  /** Milliseconds since 1970. */
  since: number | undefined;
  until: number | undefined;
}

/** A container's output so far, as frames; with `follow` on until it has exited. */
export async function containerLogs(
  ctx: Context,
  container: Container,
  options: LogOptions,
  signal: AbortSignal,
): Promise<Readable> {
  const agent = await agentOf(ctx, container);
  const path = `/v1/containers/${container.record.id}/logs?${query({ ...options })}`;
  return ctx.streams.add(
    container.record.id,
    checkedFrames(await agent.read({ method: 'GET', path, signal }), options, !hasTerminal(container)),
  );
}

export interface AttachedStreams {
  /** Ends when the process has exited. */
  output: Readable;
  /** It is what a terminal shows, not frames. */
  raw: boolean;
  /** Ending it closes the process's stdin. */
  input: Duplex;
}

/** Output from now on (with `logs` from the beginning) and, where the container keeps it open, stdin. */
export async function attachContainer(
  ctx: Context,
  container: Container,
  options: Selection & { stdin: boolean; logs: boolean },
  signal: AbortSignal,
): Promise<AttachedStreams> {
  const agent = await agentOf(ctx, container);
  const path = `/v1/containers/${container.record.id}/attach?${query({ stdin: options.stdin, logs: options.logs })}`;
  const input = await agent.open({ method: 'POST', path, signal });
  const raw = hasTerminal(container);
  return { output: ctx.streams.add(container.record.id, checkedFrames(input, options, !raw)), input, raw };
}

export const hasTerminal = ({ record }: Container) => record.spec.terminal !== undefined;

/** The programs in the terminal are told. @throws NestError `conflict` where there is none, or it does not run */
export async function resizeContainer(ctx: Context, container: Container, size: TerminalSize): Promise<void> {
  const agent = await agentOf(ctx, container);
  await agent.send({ method: 'POST', path: `/v1/containers/${container.record.id}/resize`, body: size });
}

function query(options: Record<string, boolean | number | undefined>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(options))
    if (value !== undefined && value !== false) search.set(key, value === true ? '1' : String(value));
  return search.toString();
}
