import type { Link } from './link.ts';

/** See Trunk.ping. A session that ends before the answer is followed by the next one. */
export async function ping(link: Link, signal: AbortSignal): Promise<boolean> {
  const { promise: aborted, resolve } = Promise.withResolvers<false>();
  const stop = (): void => resolve(false);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    while (!signal.aborted && !link.closed) {
      // It waits for a session only so long; whoever pings waits longer.
      const session = await link.session(signal).catch(() => undefined);
      if (session === undefined) continue;
      if (await Promise.race([session.ping(), aborted])) return true;
      await Promise.race([session.ended, aborted]);
    }
    return false;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
