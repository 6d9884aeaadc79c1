/**
 * Runs `work` while no other work has one of its keys; others wait for theirs to be free.
 *
 * @throws the signal's reason when it aborts before the turn has come
 */
export type Exclusive = <T>(keys: string[], signal: AbortSignal | undefined, work: () => Promise<T>) => Promise<T>;

export function exclusive(): Exclusive {
  const busy = new Map<string, Promise<void>>();
  return async (keys, signal, work) => {
    for (let other = first(busy, keys); other; other = first(busy, keys)) await abortable(other, signal);
    signal?.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const key of keys) busy.set(key, promise);
    try {
      return await work();
    } finally {
      for (const key of keys) busy.delete(key);
      resolve();
    }
  };
}

/** Waits for somebody else's work, and no longer when `signal` aborts. */
export function abortable(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function first(busy: Map<string, Promise<void>>, keys: string[]): Promise<void> | undefined {
  const key = keys.find((each) => busy.has(each));
  return key === undefined ? undefined : busy.get(key);
}
