import { setTimeout as delay } from 'node:timers/promises';
import { NestError } from '../errors.ts';
import { openSession, type Session } from './session.ts';

export interface LinkOptions {
  /** How long a request waits for the agent to be reachable. */
  waitMs: number;
  /** How long the guest may send nothing while a reply is due, before it is pinged, and again before it counts as lost. */
  quietMs: number;
  /** How long a new connection may stay unanswered before it is made anew; doubles each time. */
  handshakeMs: number;
  /** Called when the socket is there and nobody listens: its QEMU has ended, or has not begun. */
  refused: () => void;
}

/** One session after another on the same socket. */
export interface Link {
  /** The living session, or the next one. */
  session(signal?: AbortSignal): Promise<Session>;
  readonly connected: boolean;
  readonly closed: boolean;
  onChange(listener: (connected: boolean) => void): void;
  /** Somebody listens at the socket from now on: tries at once instead of after a pause. */
  hurry(): void;
  close(): void;
}

export function openLink(socketPath: string, options: LinkOptions): Link {
  const closing = new AbortController();
  const listeners: ((connected: boolean) => void)[] = [];
  const waiting = new Set<(session: Session) => void>();
  let current: Session | undefined;
  let wake = new AbortController();

  void keepConnected();

  async function keepConnected(): Promise<void> {
    let pause = SHORTEST_PAUSE_MS;
    let handshakeMs = options.handshakeMs;
    while (!closing.signal.aborted) {
      const session = openSession(socketPath, { ...options, handshakeMs }, closing.signal);
      if (await session.ready) {
        pause = SHORTEST_PAUSE_MS;
        handshakeMs = options.handshakeMs;
        change(session);
        await session.ended;
        change(undefined);
      } else {
        handshakeMs = Math.min(handshakeMs * 2, LONGEST_HANDSHAKE_MS);
      }
      // Also after a good session: what the guest still sends for the old one must not reach the new one.
      wake = new AbortController();
      await delay(pause, undefined, { signal: AbortSignal.any([closing.signal, wake.signal]) }).catch(() => undefined);
      pause = wake.signal.aborted ? SHORTEST_PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }

  function change(session: Session | undefined): void {
    current = session;
    if (session) for (const resume of waiting) resume(session);
    for (const listener of listeners) listener(session !== undefined);
  }

  return {
    async session(signal) {
      if (current?.alive) return current;
      const limit = AbortSignal.timeout(options.waitMs);
      const next = await nextOf(waiting, AbortSignal.any([limit, closing.signal, ...(signal ? [signal] : [])]));
      if (next) return next;
      if (signal?.aborted) throw new NestError('cancelled', 'cancelled', { cause: signal.reason });
      const why = closing.signal.aborted ? 'its trunk is closed' : `its agent did not answer for ${options.waitMs} ms`;
      throw new NestError('guest-lost', `reach guest through \`${socketPath}\`: ${why}`, {
        hint: 'See what it says on its console: nest vm console GUEST',
      });
    },
    get connected() {
      return current?.alive === true;
    },
    get closed() {
      return closing.signal.aborted;
    },
    onChange: (listener) => void listeners.push(listener),
    hurry: () => wake.abort(),
    close: () => closing.abort(),
  };
}

/** The next session, or undefined when the signal came first. */
function nextOf(waiting: Set<(session: Session) => void>, signal: AbortSignal): Promise<Session | undefined> {
  const { promise, resolve } = Promise.withResolvers<Session | undefined>();
  const leave = (session?: Session): void => {
    waiting.delete(leave);
    signal.removeEventListener('abort', stop);
    resolve(session);
  };
  const stop = (): void => leave();
  waiting.add(leave);
  signal.addEventListener('abort', stop);
  if (signal.aborted) leave();
  return promise;
}

const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;
const LONGEST_HANDSHAKE_MS = 60_000;
