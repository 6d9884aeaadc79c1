import type { Readable } from 'node:stream';
import { jsonLines } from './lines.ts';

/** Requests under way: an engine that ends lets those that were cancelled undo what they began. */
export interface Work {
  track<T>(work: Promise<T>): Promise<T>;
  /** jsonLines whose work goes on, and is waited for, after its client has gone. */
  lines(work: (emit: (value: unknown) => void) => Promise<void>, lineEnd?: string): Readable;
  /** Resolves when none is under way, at the latest after `milliseconds`. */
  ended(milliseconds: number): Promise<void>;
}

export function trackWork(): Work {
  const underWay = new Set<Promise<unknown>>();
  const track = <T>(work: Promise<T>) => {
    const settled: Promise<unknown> = work.then(
      () => underWay.delete(settled),
      () => underWay.delete(settled),
    );
    underWay.add(settled);
    return work;
  };
  return {
    track,
    lines: (work, lineEnd) => jsonLines((emit) => track(work(emit)), lineEnd),
    async ended(milliseconds) {
      const late = Promise.withResolvers<undefined>();
      const timer = setTimeout(late.resolve, milliseconds, undefined);
      await Promise.race([Promise.all([...underWay]), late.promise]);
      clearTimeout(timer);
    },
  };
}
