import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Progress } from '../progress.ts';
import { formatReference, parseReference } from './references.ts';
import { registryError } from './registry-error.ts';
import { retried, UNWELL_MEANWHILE } from './retry.ts';
import { sendToRegistry } from './skopeo.ts';
import type { Store, StoredImage } from './store.ts';

/**
 * Sends an image to the registry that its name tells. Layers that the registry has are not sent again.
 *
 * @param authFile an auth.json (containers-auth.json(5)) in place of the user's own
 * @returns the digest of the manifest that the registry has now
 * @throws NestError `unauthorized`, `registry-failed`, `no-room`, `tool-missing`
 */
export async function pushImage(
  store: Store,
  { manifest }: StoredImage,
  name: string,
  {
    progress,
    signal,
    authFile,
  }: { progress: Progress; signal?: AbortSignal | undefined; authFile?: string | undefined },
): Promise<string> {
  const reference = parseReference(name);
  const full = formatReference(reference);
  await using lease = await store.lease();
  const layout = path.join(lease.stage, LAYOUT);
  await mkdir(layout);
  await writeFile(path.join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(path.join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  const digestFile = path.join(lease.stage, 'digest');
  await progress.step(`Push ${full}`, (detail) =>
    retried(() => sendToRegistry(LAYOUT, reference, digestFile, { store, lease, authFile, detail, signal }), {
      transient: UNWELL_MEANWHILE,
      detail,
      signal,
    }).catch((error: unknown) => {
      throw registryError('push', full, error);
    }),
  );
  return (await readFile(digestFile, 'utf8')).trim();
}

const LAYOUT = 'pushed';
