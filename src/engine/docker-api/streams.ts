import { NestError } from '../../errors.ts';
import { attachContainer, containerLogs, hasTerminal, type LogOptions, resizeContainer } from '../containers/output.ts';
import type { Context } from '../context.ts';
import { FRAMES, RAW } from '../http/reply.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { findContainer } from './find.ts';
import { count, flag, time } from './query.ts';

/** Containers' output and input. */
export function streamRoutes(ctx: Context): Route[] {
  return [
    { method: 'GET', path: '/containers/:id/logs', handle: (call) => logs(ctx, call) },
    { method: 'POST', path: '/containers/:id/attach', hijacks: true, handle: (call) => attach(ctx, call) },
    { method: 'POST', path: '/containers/:id/resize', handle: (call) => resize(ctx, call) },
  ];
}

async function logs(ctx: Context, call: Call): Promise<Reply> {
  const container = await findContainer(ctx, call);
  const options = logOptions(call.query);
  if (!options.stdout && !options.stderr)
    throw new NestError('invalid-input', 'Bad parameters: you must choose at least one stream');
  const stream = await containerLogs(ctx, container, options, call.signal);
  return { status: 200, stream, contentType: hasTerminal(container) ? RAW : FRAMES };
}

async function attach(ctx: Context, call: Call): Promise<Reply> {
  const container = await findContainer(ctx, call);
  const { query } = call;
  const stdin = flag(query, 'stdin') && container.record.spec.stdin;
  const selected = { stdout: flag(query, 'stdout'), stderr: flag(query, 'stderr') };
  const attached = await attachContainer(
    ctx,
    container,
    { ...selected, stdin, logs: flag(query, 'logs') },
    call.signal,
  );
  return { attached, stdin };
}

async function resize(ctx: Context, call: Call): Promise<Reply> {
  await resizeContainer(ctx, await findContainer(ctx, call), terminalSize(call.query));
  return { status: 200 };
}

/** `h` and `w`, in characters. */
export function terminalSize(query: URLSearchParams): { rows: number; columns: number } {
  return { rows: count(query, 'h') ?? 0, columns: count(query, 'w') ?? 0 };
}

function logOptions(query: URLSearchParams): LogOptions {
  const tail = query.get('tail') ?? 'all';
  return {
    follow: flag(query, 'follow'),
    stdout: flag(query, 'stdout'),
    stderr: flag(query, 'stderr'),
    timestamps: flag(query, 'timestamps'),
    tail: tail === 'all' || tail.startsWith('-') ? undefined : count(query, 'tail'),
    since: time(query, 'since'),
    until: time(query, 'until'),
  };
}
