import { PassThrough, type Readable } from 'node:stream';

/** A body of JSON values, one a line, written as `work` goes on; `work` says by itself how it failed. */
export function jsonLines(work: (emit: (value: unknown) => void) => Promise<void>, lineEnd = '\n'): Readable {
  const stream = new PassThrough();
  // Once the client is gone there is nobody to tell; the work hears of it by its signal.
  const emit = (value: unknown) => {
    if (!stream.destroyed) stream.write(JSON.stringify(value) + lineEnd);
  };
  void work(emit).then(
    () => stream.end(),
    (error: unknown) => stream.destroy(error as Error),
  );
  return stream;
}
