import * as v from 'valibot';
import type { Engine } from './connect.ts';
import { parseTime, toFilters } from './docker-values.ts';
import { request } from './http.ts';
import { lines } from './ndjson.ts';

export interface EventQuery {
  since?: string | undefined;
  until?: string | undefined;
  /** `event=die` */
  filters: readonly string[];
}

/** What happened, in Docker's shape. */
export type DockerEvent = v.InferOutput<typeof DockerEvent>;

/** What happens on this host, as it happens. */
export async function* followEvents(
  engine: Engine,
  { since, until, filters }: EventQuery,
  signal: AbortSignal,
): AsyncGenerator<DockerEvent> {
  const query = new URLSearchParams({
    filters: JSON.stringify(toFilters(filters)),
    ...(since !== undefined && { since: parseTime(since) }),
    ...(until !== undefined && { until: parseTime(until) }),
  });
  const stream = await request(engine.paths.engineSocket, {
    method: 'GET',
    path: `/events?${query.toString()}`,
    signal,
  });
  for await (const line of lines(stream)) yield v.parse(DockerEvent, JSON.parse(line));
}

const DockerEvent = v.looseObject({
  Type: v.string(),
  Action: v.string(),
  Actor: v.object({ ID: v.string(), Attributes: v.record(v.string(), v.string()) }),
  timeNano: v.number(),
});
