import { NestError } from '../../errors.ts';

/**
 * Work that several may wait for, by key. It is cancelled when the last that waits has gone away; that one waits until it
 * has ended.
 */
export function sharedWork<T>(): (
  key: string,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
) => Promise<T> {
  const underWay = new Map<string, { result: Promise<T>; abort: AbortController; waiting: number }>();
  return async (key, work, signal) => {
    const begin = () => {
      const abort = new AbortController();
      const begun = { result: work(abort.signal).finally(() => underWay.delete(key)), abort, waiting: 0 };
      underWay.set(key, begun);
      return begun;
    };
    const shared = underWay.get(key) ?? begin();
    shared.waiting += 1;
    const left = Promise.withResolvers<never>();
    const leave = () => {
      shared.waiting -= 1;
      const reason = new NestError('cancelled', 'cancelled');
      if (shared.waiting > 0) {
        left.reject(reason);
        return;
      }
      shared.abort.abort();
      const done = () => left.reject(reason);
      shared.result.then(done, done);
    };
    if (signal?.aborted === true) leave();
    else signal?.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([left.promise, shared.result]);
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  };
}
