import { rm } from 'node:fs/promises';
import { NestError } from '../errors.ts';
import { digestOf, hasBlob, type BlobId } from './add-blob.ts';
import { blobPath } from './blobs.ts';
import type { ImageSource } from './images.ts';
import { readImage, readIndex } from './layout.ts';
import type { LoadContext } from './load.ts';
import { formatReference, parseReference } from './references.ts';
import { registryError } from './registry-error.ts';
import { resolveInRegistry } from './resolve.ts';
import { retried, UNWELL, UNWELL_MEANWHILE } from './retry.ts';
import { fetchFromRegistry, pulledLayout } from './skopeo.ts';
import type { StoredImage } from './store.ts';
import { watchFetch } from './watch-fetch.ts';

/**
 * Brings the blobs of a registry's image into the store, those that are not there yet. Pulls that want the same blob
 * take turns, so that it is fetched once. What a failed pull has fetched stays for the next one.
 *
 * @throws NestError `image-not-found`, `unauthorized`, `unsupported`, `registry-failed`, `image-invalid`, `no-room`
 */
export async function pullImage(
  { reference: name, authFile }: Extract<ImageSource, { kind: 'registry' }>,
  context: LoadContext,
): Promise<StoredImage> {
  const { store, lease, fetching, progress, signal } = context;
  const reference = parseReference(name);
  const full = formatReference(reference);
  return progress.step(`Pull ${full}`, async (detail) => {
    try {
      const options = { stage: lease.stage, authFile, signal };
      const resolved = await retried(() => resolveInRegistry(reference, options), {
        transient: UNWELL,
        detail,
        signal,
      });
      const { digest, blobs } = resolved;
      for (const blob of blobs) lease.hold(blob.digest);
      await fetching(
        blobs.map((blob) => blob.digest),
        signal,
        () => fetch({ repository: reference.repository, digest }, blobs, authFile, detail, context),
      );
    } catch (error) {
      throw registryError('pull', full, error);
    }
    const [entry] = await readIndex(pulledLayout(lease));
    if (!entry) throw new Error(`skopeo left no image of ${full}`);
    return { ...(await readImage(store.folder, entry.descriptor)), references: [full] };
  });
}

async function fetch(
  reference: { repository: string; digest: string },
  blobs: BlobId[],
  authFile: string | undefined,
  detail: (text: string) => void,
  { store, lease, progress, signal }: LoadContext,
): Promise<void> {
  const missing = await missingBlobs(blobs, store, signal);
  await using undo = new AsyncDisposableStack();
  undo.use(watchFetch({ store, layout: pulledLayout(lease), blobs: missing }, progress, detail));
  const options = { store, lease, authFile, detail: () => undefined, signal };
  await retried(() => fetchFromRegistry(reference, options), { transient: UNWELL_MEANWHILE, detail, signal }).catch(
    (error: unknown) => {
      if (!(error instanceof NestError)) lease.keep();
      throw error;
    },
  );
}

/** A blob that no image has is what a failed pull left: it is proven before anything relies on it. */
async function missingBlobs(blobs: BlobId[], store: LoadContext['store'], signal: AbortSignal | undefined) {
  const missing: BlobId[] = [];
  for (const blob of blobs) {
    const file = blobPath(store.folder, blob.digest);
    const owned = store.owns(blob.digest);
    if (owned ? await hasBlob(store, blob) : (await digestOf(file, signal)) === blob.digest) continue;
    await rm(file, { force: true });
    missing.push(blob);
  }
  return missing;
}
