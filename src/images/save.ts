import { createReadStream } from 'node:fs';
import { NestError } from '../errors.ts';
import { blobPath } from './blobs.ts';
import { CONTAINERD_NAME, REF_NAME } from './documents.ts';
import { findImage, imageNotFound } from './find.ts';
import { familiarName, parseReference } from './references.ts';
import { blobsOf, type Store, type StoredImage } from './store.ts';
import { padding, tarEntry } from '../../guest-agent/tar/entry.ts';
import { tarEnd, tarHeader } from '../../guest-agent/tar/writer.ts';

/**
 * Images as one archive, in the form of Docker 25 and later: an OCI layout (image-spec image-layout.md) that has the
 * `manifest.json` of older docker archives too, so that every tool finds what it knows. The same images give the same
 * bytes.
 *
 * @param names what Docker takes; an id is saved without a name.
 * @throws NestError `image-not-found`
 */
export async function saveImages(store: Store, names: string[]): Promise<AsyncGenerator<Buffer>> {
  if (names.length === 0) throw new NestError('invalid-input', 'save images: no image was named');
  const saved = new Map<string, StoredImage>();
  for (const name of names) {
    const found = findImage(store.list(), name);
    const image = store.list().find((stored) => stored.image.id === found?.id);
    if (!found || !image) throw imageNotFound(name);
    const before = saved.get(image.manifest.digest)?.references ?? [];
    const references = found.reference === undefined ? before : [...new Set([...before, found.reference])];
    saved.set(image.manifest.digest, { ...image, references });
  }
  const images = [...saved.values()];
  const lease = await store.lease();
  for (const digest of images.flatMap(blobsOf)) lease.hold(digest);
  return (async function* () {
    await using undo = new AsyncDisposableStack();
    undo.use(lease);
    yield* archive(store, images);
  })();
}

async function* archive(store: Store, images: StoredImage[]): AsyncGenerator<Buffer> {
  for (const name of ['blobs/', 'blobs/sha256/']) yield tarHeader({ ...ENTRY, name, type: 'directory', mode: 0o755 });
  const blobs = images.flatMap(({ manifest, config, layers }) => [manifest, config, ...layers]);
  for (const { digest, size } of new Map(blobs.map((blob) => [blob.digest, blob])).values()) {
    yield tarHeader({ ...ENTRY, name: inArchive(digest), size });
    yield* createReadStream(blobPath(store.folder, digest), { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>;
    yield Buffer.alloc(padding(size));
  }
  yield* document('index.json', { schemaVersion: 2, manifests: images.flatMap(indexEntries) });
  yield* document('manifest.json', images.map(dockerEntry));
  yield* document('oci-layout', { imageLayoutVersion: '1.0.0' });
  yield tarEnd();
}

function* document(name: string, value: unknown): Generator<Buffer> {
  const content = Buffer.from(JSON.stringify(value));
  yield tarHeader({ ...ENTRY, name, size: content.length });
  yield content;
  yield Buffer.alloc(padding(content.length));
}

/** One for each name: the tag is what the specification asks for, the full name what containerd and Docker read. */
function indexEntries({ manifest, references }: StoredImage): object[] {
  if (references.length === 0) return [manifest];
  return references.map((name) => {
    const { tag } = parseReference(name);
    return { ...manifest, annotations: { [CONTAINERD_NAME]: name, ...(tag !== undefined && { [REF_NAME]: tag }) } };
  });
}

/** moby, image/spec/v1.2.md, "Combined Image JSON + Filesystem Changeset Format". */
function dockerEntry({ config, layers, references }: StoredImage): object {
  return {
    Config: inArchive(config.digest),
    RepoTags: references.filter((name) => !name.includes('@')).map(familiarName),
    Layers: layers.map(({ digest }) => inArchive(digest)),
  };
}

function inArchive(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

const ENTRY = tarEntry({ name: '', type: 'file', mode: 0o644 });
