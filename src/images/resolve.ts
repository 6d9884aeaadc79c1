import { createHash } from 'node:crypto';
import { invalid, parseDocument, short } from './blobs.ts';
import type { BlobId } from './add-blob.ts';
import { Index, INDEX_TYPES, Manifest } from './documents.ts';
import { forThisPlatform } from './layout.ts';
import { formatReference, type Reference } from './references.ts';
import { readManifest, type RegistryOptions } from './skopeo.ts';
import * as v from 'valibot';

export interface Resolved {
  /** Of what the registry has under the name: an index or a manifest. */
  digest: string;
  /** Configuration and layers for this platform, each once. */
  blobs: BlobId[];
}

/**
 * What a registry's name stands for now.
 *
 * @throws ToolFailed, NestError `image-invalid`, `unsupported`
 */
export async function resolveInRegistry(reference: Reference, options: RegistryOptions): Promise<Resolved> {
  const name = formatReference(reference);
  const document = await readManifest(reference, options);
  const digest = digestOf(document);
  if (reference.digest !== undefined && reference.digest !== digest)
    throw invalid(name, `the registry sent ${short(digest)} for it`);
  const { mediaType = '', manifests } = parseDocument(document, name, Kind);
  if (!INDEX_TYPES.has(mediaType) && manifests === undefined) return { digest, blobs: blobsOf(document, name) };
  const [chosen] = forThisPlatform(parseDocument(document, name, Index).manifests);
  if (!chosen) throw invalid(name, 'an index without images');
  const manifest = await readManifest({ repository: reference.repository, digest: chosen.digest }, options);
  if (digestOf(manifest) !== chosen.digest)
    throw invalid(name, `the registry sent another manifest than ${short(chosen.digest)}`);
  return { digest, blobs: blobsOf(manifest, name) };
}

function blobsOf(document: Buffer, name: string): BlobId[] {
  const { config, layers } = parseDocument(document, name, Manifest);
  return [...new Map([config, ...layers].map(({ digest, size }) => [digest, { digest, size }])).values()];
}

function digestOf(document: Buffer): string {
  return `sha256:${createHash('sha256').update(document).digest('hex')}`;
}

const Kind = v.object({ mediaType: v.optional(v.string()), manifests: v.optional(v.array(v.unknown())) });
