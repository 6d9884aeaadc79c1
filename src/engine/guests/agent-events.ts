import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import * as v from 'valibot';
import { AgentEvent } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { Trunk } from '../../trunk/trunk.ts';

/**
 * Follows the agent's events until `signal` aborts. When the stream breaks (the agent was restarted, the guest was
 * paused) it is opened again, and begins with a snapshot: what happened meanwhile is in there.
 */
export async function followAgent(
  trunk: Trunk,
  listener: (event: AgentEvent) => Promise<void> | void,
  onBroken: (error: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  let wait = SHORTEST_PAUSE_MS;
  for (;;) {
    try {
      const stream = await trunk.read({ method: 'GET', path: '/v1/events', signal });
      for await (const event of agentEvents(stream)) {
        await listener(event);
        wait = SHORTEST_PAUSE_MS;
      }
    } catch (error) {
      if (!signal.aborted) onBroken(error);
    }
    // The trunk's own reconnection is awaited by `read`; this only keeps a broken agent from being asked in a tight loop.
    await pause(wait, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    wait = Math.min(wait * 2, LONGEST_PAUSE_MS);
  }
}

async function* agentEvents(stream: Readable): AsyncGenerator<AgentEvent> {
  for await (const line of boundedLines(stream)) yield v.parse(AgentEvent, JSON.parse(line));
}

async function* boundedLines(stream: Readable): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      parts.push(chunk.subarray(from, end));
      yield Buffer.concat(parts).toString('utf8');
      parts = [];
      length = 0;
      from = end + 1;
    }
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > LINE_LIMIT)
      throw new NestError('guest-lost', `read \`/v1/events\`: line longer than ${LINE_LIMIT} bytes`);
  }
}

const NEWLINE = 0x0a;

/** A snapshot holds every container's spec. */
const LINE_LIMIT = 8 * 1024 * 1024;

const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
