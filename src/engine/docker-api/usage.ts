import { Readable } from 'node:stream';
import { followStats, isRunning, listProcesses, measureStats, readStats } from '../containers/stats.ts';
import type { Context } from '../context.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { findContainer } from './find.ts';
import { flag } from './query.ts';
import { statsJson } from './stats-json.ts';
import { topTable } from './top.ts';

/** What containers use, and who runs in them. */
export function usageRoutes(ctx: Context): Route[] {
  return [
    { method: 'GET', path: '/containers/:id/stats', handle: (call) => stats(ctx, call) },
    {
      method: 'GET',
      path: '/containers/:id/top',
      async handle(call) {
        const processes = await listProcesses(ctx, await findContainer(ctx, call));
        return { status: 200, json: topTable(processes, call.query.get('ps_args') ?? '', Date.now()) };
      },
    },
  ];
}

/** A stream of readings, one a second, unless the query says `stream=0`. */
async function stats(ctx: Context, call: Call): Promise<Reply> {
  const container = await findContainer(ctx, call);
  const { query, signal } = call;
  if (!query.has('stream') || flag(query, 'stream')) {
    const readings = async function* () {
      for await (const reading of followStats(ctx, container.record.id, signal))
        yield `${JSON.stringify(statsJson(container, reading))}\n`;
    };
    return { status: 200, stream: Readable.from(readings()), contentType: 'application/json' };
  }
  if (!isRunning(container)) return { status: 200, json: statsJson(container, { now: null, before: null }) };
  if (!flag(query, 'one-shot'))
    return { status: 200, json: statsJson(container, await measureStats(ctx, container, signal)) };
  return { status: 200, json: statsJson(container, { now: await readStats(ctx, container), before: null }) };
}
