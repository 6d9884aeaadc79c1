import { once } from 'node:events';
import type { Context } from '../context.ts';
import type { EngineEvent } from '../events.ts';
import { jsonLines } from '../http/lines.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { filters, matchesLabels, time } from './query.ts';

export function eventRoutes(ctx: Context): Route[] {
  return [{ method: 'GET', path: '/events', handle: (call) => events(ctx, call) }];
}

/** First the kept ones from `since` on, then each as it happens; ends at `until`, or with the client. */
function events(ctx: Context, { query, signal }: Call): Reply {
  const wanted = filters(query, ['label', 'type', 'event', 'container']);
  const since = time(query, 'since') ?? Infinity;
  const until = time(query, 'until') ?? Infinity;
  const fits = (event: EngineEvent) => event.time <= until && matches(event, wanted);
  const stream = jsonLines(async (emit) => {
    for (const event of ctx.events.recent()) if (event.time >= since && fits(event)) emit(dockerEvent(event));
    if (until <= Date.now()) return;
    const end = ctx.events.on((event) => {
      if (fits(event)) emit(dockerEvent(event));
    });
    const expired = until === Infinity ? [] : [AbortSignal.timeout(Math.min(until - Date.now(), LONGEST_TIMER))];
    const ended = AbortSignal.any([signal, ...expired]);
    if (!ended.aborted) await once(ended, 'abort');
    end();
  });
  return { status: 200, stream, contentType: 'application/json' };
}

function matches({ type, action, id, attributes }: EngineEvent, wanted: Map<string, string[]>): boolean {
  const any = (filter: string, ...values: (string | undefined)[]) => {
    const allowed = wanted.get(filter) ?? [];
    return allowed.length === 0 || values.some((value) => value !== undefined && allowed.includes(value));
  };
  return (
    any('type', type) &&
    any('event', action, action.split(':', 1)[0]) &&
    any('container', id, attributes['name']) &&
    matchesLabels(attributes, wanted.get('label'))
  );
}

function dockerEvent({ type, action, id, attributes, time: milliseconds }: EngineEvent): Record<string, unknown> {
  return {
    ...(type === 'container' && { status: action, id, from: attributes['image'] ?? '' }),
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: 'local',
    time: Math.floor(milliseconds / 1000),
    timeNano: milliseconds * 1_000_000,
  };
}

/** Milliseconds that a timer can hold. */
const LONGEST_TIMER = 2 ** 31 - 1;
