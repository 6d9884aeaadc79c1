import type { Readable } from 'node:stream';
import type { Engine } from './connect.ts';
import { parseTime } from './docker-values.ts';
import { request } from './http.ts';

export interface LogOptions {
  follow: boolean;
  timestamps: boolean;
  /** `all`, or how many lines from the end. */
  tail: string;
  since?: string | undefined;
  until?: string | undefined;
}

/**
 * A container's log as Docker's multiplexed stream. Not through dockerode: it keeps a log that is not followed in
 * memory, and takes one that is JSON for an object.
 */
export async function openLogs(
  engine: Engine,
  container: string,
  { follow, timestamps, tail, since, until }: LogOptions,
  signal: AbortSignal,
): Promise<Readable> {
  const query = new URLSearchParams({
    stdout: '1',
    stderr: '1',
    tail,
    ...(follow && { follow: '1' }),
    ...(timestamps && { timestamps: '1' }),
    ...(since !== undefined && { since: parseTime(since) }),
    ...(until !== undefined && { until: parseTime(until) }),
  });
  const path = `/containers/${encodeURIComponent(container)}/logs?${query.toString()}`;
  return await request(engine.paths.engineSocket, { method: 'GET', path, signal });
}
