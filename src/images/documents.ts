import * as v from 'valibot';
import { MAX_LAYERS } from './limits.ts';

/**
 * The JSON documents of an OCI image layout (image-spec: image-index.md, manifest.md, descriptor.md) and their Docker
 * twins. Parsed from whatever an image holds: unknown fields are dropped, known ones must be what they should be.
 */
const Digest = v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/, 'no sha256 digest'));

export const Descriptor = v.object({
  mediaType: v.optional(v.string(), ''),
  digest: Digest,
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  annotations: v.nullish(v.record(v.string(), v.string()), {}),
  platform: v.nullish(v.object({ os: v.string(), architecture: v.string() })),
});

export const Index = v.object({
  schemaVersion: v.literal(2),
  manifests: v.pipe(v.array(Descriptor), v.maxLength(10_000)),
});

export const Manifest = v.object({
  schemaVersion: v.literal(2),
  config: Descriptor,
  layers: v.pipe(v.array(Descriptor), v.maxLength(MAX_LAYERS, `more than ${MAX_LAYERS} layers`)),
});

/** `manifest.json` of a docker archive (moby, image/spec/v1.2.md). */
export const DockerArchive = v.pipe(
  v.array(v.object({ RepoTags: v.nullish(v.array(v.string()), []) })),
  v.minLength(1, 'holds no image'),
  v.maxLength(1000),
);

export type Descriptor = v.InferOutput<typeof Descriptor>;
export type Index = v.InferOutput<typeof Index>;
export type Manifest = v.InferOutput<typeof Manifest>;

export const INDEX_TYPES = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);

export const MANIFEST_TYPES = new Set([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]);

export const CONFIG_TYPES = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

/** The compression in the type's name is not trusted (decompress.ts); encrypted layers and artifacts are no layers. */
export const LAYER_TYPE =
  /^application\/vnd\.(oci\.image\.layer\.(nondistributable\.)?v1\.tar|docker\.image\.rootfs\.(foreign\.)?diff\.tar)([.+](gzip|zstd))?$/;

/** Names of images: the specification's, and containerd's, which Docker 25 and later writes in full. */
export const REF_NAME = 'org.opencontainers.image.ref.name';
export const CONTAINERD_NAME = 'io.containerd.image.name';
