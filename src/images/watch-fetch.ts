import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../progress.ts';
import { hasBlob, type BlobId } from './add-blob.ts';
import { short } from './blobs.ts';
import type { Store } from './store.ts';
import { megabytes } from './units.ts';

/**
 * Tells how skopeo gets on, which says nothing itself where nobody sits at a terminal: one step for each blob, done when
 * it is in the store, and the bytes of all.
 *
 * @param layout where skopeo writes blobs that are not whole yet.
 */
export function watchFetch(
  { store, layout, blobs }: { store: Store; layout: string; blobs: BlobId[] },
  progress: Progress,
  detail: (text: string) => void,
): AsyncDisposable {
  const ended = new AbortController();
  const total = blobs.reduce((sum, { size }) => sum + size, 0);
  const waiting = new Map(blobs.map((blob) => [blob.digest, { blob, ...Promise.withResolvers<void>() }]));
  const steps = blobs.map((blob) =>
    progress.step(
      `Fetch ${short(blob.digest)} ${megabytes(blob.size)}`,
      () => waiting.get(blob.digest)?.promise ?? Promise.resolve(),
    ),
  );
  const look = async () => {
    for (const { blob, resolve } of waiting.values()) {
      if (!(await hasBlob(store, blob))) continue;
      waiting.delete(blob.digest);
      resolve();
    }
    const missing = [...waiting.values()].reduce((sum, { blob }) => sum + blob.size, 0);
    const fetched = total - missing + (await unfinished(layout));
    if (total > 0) detail(`${megabytes(Math.min(fetched, total))} of ${megabytes(total)}`);
  };
  const watching = (async () => {
    for (;;) {
      await sleep(EVERY, undefined, { signal: ended.signal });
      await look();
    }
  })().catch(() => undefined);
  return {
    async [Symbol.asyncDispose]() {
      ended.abort();
      await watching;
      await look();
      for (const { reject } of waiting.values()) reject(new Error('not fetched'));
      await Promise.allSettled(steps);
    },
  };
}

/** Bytes of blobs that are under way. */
async function unfinished(layout: string): Promise<number> {
  const names = await readdir(layout).catch(() => []);
  const sizes = names
    .filter((name) => name.startsWith('oci-put-blob'))
    .map((name) =>
      stat(path.join(layout, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Milliseconds. */
const EVERY = 300;
