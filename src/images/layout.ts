import path from 'node:path';
import type { HistoryStep, Image } from './image.ts';
import { NestError } from '../errors.ts';
import { invalid, parseDocument, readBounded, readDocument, short } from './blobs.ts';
import { ConfigFile } from './config.ts';
import {
  CONFIG_TYPES,
  CONTAINERD_NAME,
  Descriptor,
  Index,
  INDEX_TYPES,
  LAYER_TYPE,
  Manifest,
  MANIFEST_TYPES,
  REF_NAME,
} from './documents.ts';
import type { LayerBlob } from './layer-blob.ts';

/** An image found in a layout, its documents proven; its layers are not yet. */
export interface LayoutImage {
  manifest: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>;
  config: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>;
  layers: LayerBlob[];
  /** Without references. */
  image: Image;
}

/** What an index says an image is called: a full name, or nothing but a tag, as the specification has it. */
export interface NamedDescriptor {
  descriptor: Descriptor;
  annotation: string | undefined;
}

/** The images of a layout that run here, without opening them. */
export async function readIndex(layout: string): Promise<NamedDescriptor[]> {
  const { manifests } = parseDocument(
    await readBounded(path.join(layout, 'index.json'), 'index.json'),
    'index.json',
    Index,
  );
  return forThisPlatform(manifests).map((descriptor) => ({
    descriptor,
    annotation: descriptor.annotations[CONTAINERD_NAME] ?? descriptor.annotations[REF_NAME],
  }));
}

/**
 * Resolves a descriptor of an index to the image for this platform.
 *
 * @throws NestError `image-invalid`, or `unsupported` for another platform or what is no container image
 */
export async function readImage(layout: string, descriptor: Descriptor, depth = 0): Promise<LayoutImage> {
  if (INDEX_TYPES.has(descriptor.mediaType)) {
    if (depth === MAX_NESTING) throw invalid(short(descriptor.digest), 'indexes in indexes');
    const { manifests } = await readDocument(layout, descriptor, Index);
    const [chosen] = forThisPlatform(manifests);
    if (!chosen) throw invalid(short(descriptor.digest), 'an index without images');
    return readImage(layout, chosen, depth + 1);
  }
  if (!MANIFEST_TYPES.has(descriptor.mediaType)) throw notAnImage(descriptor.mediaType);
  const { config: configBlob, layers: blobs } = await readDocument(layout, descriptor, Manifest);
  if (!CONFIG_TYPES.has(configBlob.mediaType)) throw notAnImage(configBlob.mediaType);
  const other = blobs.find(({ mediaType }) => !LAYER_TYPE.test(mediaType));
  if (other) throw notAnImage(other.mediaType);
  const config = await readDocument(layout, configBlob, ConfigFile);
  if (!runsHere(config)) throw otherPlatform([config]);
  const layers = blobs.map(({ mediaType, digest, size }, i): LayerBlob => {
    const diffId = config.rootfs.diff_ids[i];
    if (diffId === undefined) throw invalid(short(configBlob.digest), 'fewer diff IDs than layers');
    return { diffId, digest, size, mediaType };
  });
  if (layers.length !== config.rootfs.diff_ids.length)
    throw invalid(short(configBlob.digest), 'more diff IDs than layers');
  return {
    manifest: { mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size },
    config: { mediaType: configBlob.mediaType, digest: configBlob.digest, size: configBlob.size },
    layers,
    image: {
      id: configBlob.digest,
      references: [],
      digests: [descriptor.digest],
      created: config.created,
      author: config.author,
      size: layers.reduce((sum, { size }) => sum + size, 0),
      architecture: config.architecture,
      layers: layers.map(({ diffId }) => diffId),
      config: config.config,
      history: historyOf(config, layers),
    },
  };
}

/** Each instruction with the bytes of its layer. A history that does not fit the layers is not told. */
function historyOf({ history }: ConfigFile, layers: LayerBlob[]): HistoryStep[] {
  const filled = history.filter(({ empty_layer: empty }) => !empty);
  if (filled.length !== layers.length) return layers.map(({ size }) => ({ ...UNKNOWN_STEP, size }));
  let next = 0;
  return history.map((entry) => ({
    created: entry.created,
    createdBy: entry.created_by,
    comment: entry.comment,
    size: entry.empty_layer ? 0 : (layers[next++]?.size ?? 0),
  }));
}

interface Platform {
  os: string;
  architecture: string;
}

/** Those that say nothing of their platform are kept: their configuration will tell. */
export function forThisPlatform(manifests: Descriptor[]): Descriptor[] {
  const fitting = manifests.filter(({ platform }) => !platform || runsHere(platform));
  if (fitting.length > 0 || manifests.length === 0) return fitting;
  throw otherPlatform(manifests.flatMap(({ platform }) => platform ?? []));
}

/** Guests are x86-64, whatever the engine is compiled for. */
function runsHere({ os, architecture }: Platform): boolean {
  return os === 'linux' && architecture === 'amd64';
}

/** Docker's attestations call their platform unknown/unknown; nobody needs to hear of them. */
function otherPlatform(found: Platform[]): NestError {
  const names = found.filter(({ os }) => os !== 'unknown').map(({ os, architecture }) => `${os}/${architecture}`);
  return new NestError('unsupported', `read image: it is made for ${[...new Set(names)].join(', ')}`, {
    hint: 'Guests run linux/amd64: build the image with --platform linux/amd64, or take one made for it.',
  });
}

function notAnImage(mediaType: string): NestError {
  return new NestError('unsupported', `read image: \`${mediaType.slice(0, 100)}\` is no part of a container image`, {
    hint: 'Artifacts, encrypted layers and Docker schema 1 cannot run; push or build it as an OCI image.',
  });
}

const UNKNOWN_STEP = { created: '1970-01-01T00:00:00Z', createdBy: '', comment: '' };
const MAX_NESTING = 2;
