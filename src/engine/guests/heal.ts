import { waitsForGuest } from '../containers/observe.ts';
import { replaceContainer } from '../containers/replace.ts';
import { startContainer } from '../containers/start.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';

/** Runs the containers again whose guests ended under them and whose restart policy asks for it, in other guests. */
export interface Healer {
  /** To be called when a container may have come to wait for another guest. */
  consider(containerId: string): void;
  /** Guests that a container has lost in a row, and starts in others that failed: each makes the next wait longer. */
  setbacks(containerId: string): number;
  /** No longer cares for it; resolves when nothing is under way. */
  leave(containerId: string): Promise<void>;
  close(): Promise<void>;
}

export function healContainers(ctx: Context, pauses: Pauses = PAUSES): Healer {
  const setbacks = new Map<string, { count: number; at: number }>();
  const cases = new Map<string, { timer: NodeJS.Timeout; abort: AbortController; work: Promise<void> }>();
  let closed = false;

  const begin = async (id: string, signal: AbortSignal): Promise<void> => {
    try {
      await heal(ctx, id, signal);
    } catch (error) {
      if (!signal.aborted) ctx.log(`run container \`${id}\` in another guest: ${String(error)}`);
    }
    cases.delete(id);
    if (!signal.aborted) consider(id);
  };
  const consider = (id: string): void => {
    const container = ctx.state.containers.get(id);
    if (closed || cases.has(id) || container === undefined || !needsGuest(ctx, container)) return;
    const before = setbacks.get(id);
    const count = before !== undefined && Date.now() - before.at < pauses.forget ? before.count + 1 : 1;
    setbacks.set(id, { count, at: Date.now() });
    const pause = count === 1 ? 0 : Math.min(pauses.first * 2 ** (count - 2), pauses.longest);
    const abort = new AbortController();
    const timer = setTimeout(() => {
      entry.work = ctx.work.track(begin(id, abort.signal));
    }, pause).unref();
    const entry = { timer, abort, work: Promise.resolve() };
    cases.set(id, entry);
  };
  const leave = async (id: string): Promise<void> => {
    const found = cases.get(id);
    clearTimeout(found?.timer);
    found?.abort.abort();
    cases.delete(id);
    await found?.work;
  };
  return {
    consider,
    setbacks: (id) => setbacks.get(id)?.count ?? 0,
    leave,
    async close() {
      closed = true;
      await Promise.all([...cases.keys()].map(leave));
    },
  };
}

async function heal(ctx: Context, id: string, signal: AbortSignal): Promise<void> {
  const container = ctx.state.containers.get(id);
  if (container === undefined || !needsGuest(ctx, container)) return;
  await replaceContainer(ctx, container, ctx.progress.of(container.record.zone), signal);
  await startContainer(ctx, ctx.state.containers.find(id));
}

/** A guest that somebody has stopped comes back with its containers: for these nothing is to be done. */
function needsGuest(ctx: Context, container: Container): boolean {
  if (container.phase !== 'created' || !waitsForGuest(container)) return false;
  const guest = ctx.link.current()?.get(container.guest ?? '');
  return guest === undefined || (guest.state === 'stopped' && guest.reason !== null);
}

/** Milliseconds. */
interface Pauses {
  /** After the second setback; doubles with each one more. */
  first: number;
  longest: number;
  /** Time without a setback after which earlier ones count no more. */
  forget: number;
}

const PAUSES: Pauses = { first: 10_000, longest: 300_000, forget: 600_000 };
