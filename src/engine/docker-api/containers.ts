import * as v from 'valibot';
import { NestError } from '../../errors.ts';
import { createContainer } from '../containers/create.ts';
import { readHealth } from '../containers/health.ts';
import { removeContainer } from '../containers/remove.ts';
import { renameContainer } from '../containers/rename.ts';
import { signalName } from '../containers/signal.ts';
import { startContainer } from '../containers/start.ts';
import { killContainer, stopContainer } from '../containers/stop.ts';
import { waitContainer, type WaitCondition } from '../containers/wait.ts';
import type { Context } from '../context.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import type { Container } from '../state/record.ts';
import { findContainer, seeGuests } from './find.ts';
import { containerDetails, containerSummary } from './container-json.ts';
import { dockerState } from './container-status.ts';
import { CreateBody, createRequest, zoneLabel } from './create-body.ts';
import { count, filters, flag, matchesLabels } from './query.ts';
import { asStartError } from './start-error.ts';

/** Containers' life, in the Docker Engine API's shapes. */
export function containerRoutes(ctx: Context): Route[] {
  const find = (call: Call) => findContainer(ctx, call);
  return [
    { method: 'GET', path: '/containers/json', handle: (call) => list(ctx, call) },
    { method: 'POST', path: '/containers/create', handle: (call) => create(ctx, call) },
    {
      method: 'GET',
      path: '/containers/:id/json',
      async handle(call) {
        const container = await find(call);
        return { status: 200, json: containerDetails(ctx, container, await readHealth(ctx, container)) };
      },
    },
    { method: 'POST', path: '/containers/:id/start', handle: async (call) => start(ctx, await find(call)) },
    {
      method: 'POST',
      path: '/containers/:id/stop',
      handle: async (call) => ({
        status: (await stopContainer(ctx, await find(call), count(call.query, 't'))) ? 204 : 304,
      }),
    },
    {
      method: 'POST',
      path: '/containers/:id/restart',
      handle: async (call) => {
        const { id } = (await find(call)).record;
        await stopContainer(ctx, ctx.state.containers.find(id), count(call.query, 't'));
        await start(ctx, ctx.state.containers.find(id));
        return { status: 204 };
      },
    },
    {
      method: 'POST',
      path: '/containers/:id/kill',
      handle: async (call) => {
        await killContainer(ctx, await find(call), signalName(call.query.get('signal') || 'SIGKILL'));
        return { status: 204 };
      },
    },
    {
      method: 'POST',
      path: '/containers/:id/wait',
      handle: async (call) => {
        const ended = waitContainer(ctx, await find(call), waitCondition(call), call.signal);
        const late = ended.then(({ exitCode, error }) => ({
          StatusCode: exitCode,
          ...(error !== null && { Error: { Message: error } }),
        }));
        return { status: 200, late };
      },
    },
    {
      method: 'POST',
      path: '/containers/:id/rename',
      handle: async (call) => {
        renameContainer(ctx, await find(call), containerName(call.query.get('name') ?? ''));
        return { status: 204 };
      },
    },
    {
      method: 'DELETE',
      path: '/containers/:id',
      handle: async (call) => {
        await removeContainer(ctx, await find(call), flag(call.query, 'force'), flag(call.query, 'v'));
        return { status: 204 };
      },
    },
  ];
}

async function list(ctx: Context, { query }: Call): Promise<{ status: number; json: unknown }> {
  const wanted = filters(query, ['id', 'name', 'label', 'status', 'health']);
  const all = flag(query, 'all') || wanted.has('status');
  await seeGuests(ctx);
  const limit = count(query, 'limit');
  const containers = ctx.state.containers
    .all()
    .filter((container) => container.phase !== 'creating')
    .filter((container) => all || ['running', 'restarting', 'paused'].includes(dockerState(ctx, container)))
    .filter((container) => matches(ctx, container, wanted))
    .sort((a, b) => b.record.createdAt - a.record.createdAt)
    .slice(0, limit === undefined || limit === 0 ? undefined : limit);
  return { status: 200, json: containers.map((container) => containerSummary(ctx, container)) };
}

function matches(ctx: Context, container: Container, wanted: Map<string, string[]>): boolean {
  const { id, name, labels } = container.record;
  const any = (values: string[] | undefined, test: (value: string) => boolean) =>
    values === undefined || values.length === 0 || values.some(test);
  return (
    any(wanted.get('id'), (prefix) => id.startsWith(prefix)) &&
    any(wanted.get('name'), (part) => name.includes(part.replace(/^[\^/]+/, '').replace(/\$$/, ''))) &&
    any(wanted.get('status'), (status) => dockerState(ctx, container) === status) &&
    any(wanted.get('health'), (health) => container.state.health === health) &&
    matchesLabels(labels, wanted.get('label'))
  );
}

async function create(ctx: Context, call: Call): Promise<Reply> {
  const body = await call.json(CreateBody);
  const name = call.query.get('name') || null;
  const request = createRequest(body, name === null ? null : containerName(name));
  const progress = ctx.progress.of(zoneLabel(body) ?? 'default');
  const container = await createContainer(ctx, request, progress, call.signal);
  const { id } = container.record;
  const undelivered = async () => {
    const unknown = ctx.state.containers.get(id);
    if (unknown === undefined) return;
    await removeContainer(ctx, unknown, false, true).catch((error: unknown) =>
      ctx.log(`remove container \`${id}\`, which nobody was told of: ${String(error)}`),
    );
  };
  return { status: 201, json: { Id: id, Warnings: [] }, undelivered };
}

async function start(ctx: Context, container: Container): Promise<{ status: number }> {
  try {
    return { status: (await startContainer(ctx, container)) ? 204 : 304 };
  } catch (error) {
    throw asStartError(error);
  }
}

function waitCondition({ query }: Call): WaitCondition {
  const condition = CONDITIONS.find((candidate) => candidate === (query.get('condition') || 'not-running'));
  if (condition !== undefined) return condition;
  throw new NestError('invalid-input', 'query `condition`: one of not-running, next-exit, removed');
}

function containerName(name: string): string {
  const bare = v.safeParse(Name, name.replace(/^\//, ''));
  if (bare.success) return bare.output;
  throw new NestError(
    'invalid-input',
    `Invalid container name (${name.slice(0, 128)}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );
}

const Name = v.pipe(v.string(), v.regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/));
const CONDITIONS: WaitCondition[] = ['not-running', 'next-exit', 'removed'];
