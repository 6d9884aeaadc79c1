import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import * as v from 'valibot';
import { AgentEvent } from '../../../guest-agent/api.ts';
import type { Trunk } from '../../trunk/trunk.ts';
import { boundedLines } from './bounded-lines.ts';

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
  for await (const line of boundedLines(stream, LINE_LIMIT)) yield v.parse(AgentEvent, JSON.parse(line));
}

/** A snapshot holds every container's spec. */
const LINE_LIMIT = 8 * 1024 * 1024;

const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
