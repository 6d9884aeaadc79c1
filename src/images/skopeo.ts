import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { NestError } from '../errors.ts';
import { invalid } from './blobs.ts';
import type { Lease } from './lease.ts';
import { MAX_DOCUMENT } from './limits.ts';
import { formatReference, isLoopback, type Reference } from './references.ts';
import { reason } from './registry-error.ts';
import type { Store } from './store.ts';
import { runTool, ToolFailed } from './tool.ts';

export interface RegistryOptions {
  /** A folder of ours for skopeo's temporary files. */
  stage: string;
  /**
   * An auth.json of its own (containers-auth.json(5)); undefined: what `skopeo login`, `podman login` and `docker login`
   * have written.
   */
  authFile?: string | undefined;
  signal?: AbortSignal | undefined;
}

interface CopyOptions extends Pick<RegistryOptions, 'authFile' | 'signal'> {
  store: Store;
  lease: Lease;
  detail: (text: string) => void;
}

/** The manifest or index that a registry has under a name, as it is. @throws ToolFailed */
export async function readManifest(reference: Reference, options: RegistryOptions): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const flags = ['inspect', '--raw', ...registryFlags(reference, '', options)];
  await runTool('skopeo', [...always(options.stage), ...flags, `docker://${formatReference(reference)}`], {
    env: environment(options.stage),
    signal: options.signal,
    onOutput: (chunk) => {
      size += chunk.length;
      if (size <= MAX_DOCUMENT) chunks.push(chunk);
    },
  });
  if (size > MAX_DOCUMENT)
    throw invalid(formatReference(reference), `its manifest is larger than ${MAX_DOCUMENT} bytes`);
  return Buffer.concat(chunks);
}

/**
 * Copies the linux/amd64 image of a registry: its blobs into the store, unless they are there, and an index with it into
 * a layout in the lease's stage. skopeo proves the digests on the way, and syncs each blob before it gets its name.
 *
 * @returns the layout
 * @throws ToolFailed, NestError `no-room`, `tool-missing`
 */
export async function fetchFromRegistry(reference: Reference, options: CopyOptions): Promise<string> {
  const flags = registryFlags(reference, 'src-', { ...options, stage: options.lease.stage });
  return intoStore(`docker://${formatReference(reference)}`, PULLED, flags, options);
}

/** Where fetchFromRegistry has its layout, and the blobs that are not whole yet. */
export function pulledLayout(lease: Lease): string {
  return path.join(lease.stage, PULLED);
}

/**
 * Turns one image of a docker archive into blobs of the store and a layout of its own, as above.
 *
 * @param archive a plain tar: skopeo 1.9 fails on compressed ones.
 * @param index the image's position in the archive's manifest.json.
 * @returns the layout
 * @throws NestError `image-invalid`, `no-room`, `tool-missing`
 */
export async function fetchFromDockerArchive(archive: string, index: number, options: CopyOptions): Promise<string> {
  // skopeo takes a colon in a path for the begin of a tag.
  const link = `archive-${index}`;
  await symlink(path.resolve(archive), path.join(options.lease.stage, link));
  return intoStore(`docker-archive:${link}:@${index}`, `image-${index}`, [], options).catch((error: unknown) => {
    if (!(error instanceof ToolFailed)) throw error;
    throw new NestError('image-invalid', `read image ${index + 1} of the archive: ${reason(error)}`, {
      hint: 'The archive is damaged or incomplete. Save the image again.',
      cause: error,
    });
  });
}

/**
 * Sends the image of a layout to a registry. Layers that are not compressed are, on their way.
 *
 * @param layout folder below the stage, whose index has the one image
 * @throws ToolFailed, NestError `no-room`, `tool-missing`
 */
export async function sendToRegistry(layout: string, reference: Reference, digestFile: string, options: CopyOptions) {
  const stage = options.lease.stage;
  const flags = [
    ...['--src-shared-blob-dir', path.join(options.store.folder, 'blobs'), '--digestfile', digestFile],
    ...registryFlags(reference, 'dest-', { ...options, stage }),
  ];
  await copy([...flags, `oci:${layout}`, `docker://${formatReference(reference)}`], options);
}

async function intoStore(source: string, layout: string, flags: string[], options: CopyOptions): Promise<string> {
  const shared = ['--dest-shared-blob-dir', path.join(options.store.folder, 'blobs')];
  await copy(['--dest-oci-accept-uncompressed-layers', ...shared, ...flags, source, `oci:${layout}`], options);
  return path.join(options.lease.stage, layout);
}

async function copy(parameters: string[], { lease: { stage }, detail, signal }: CopyOptions): Promise<void> {
  await runTool('skopeo', [...always(stage), 'copy', ...parameters], {
    cwd: stage,
    env: environment(stage),
    signal,
    onLine: (line) => detail(line.replace(/(sha256:[0-9a-f]{12})[0-9a-f]+/, '$1').slice(0, 100)),
  }).catch((error: unknown) => {
    if (!(error instanceof ToolFailed) || !error.stderr.includes('no space left on device')) throw error;
    throw new NestError('no-room', `write \`${stage}\`: no space left on device`, {
      hint: 'Free disk space in the data directory, then run the same command again.',
      cause: error,
    });
  });
}

/** The policy file is about signatures of podman's own pulls; here digests prove what arrives. */
function always(stage: string): string[] {
  return ['--insecure-policy', '--override-os', 'linux', '--override-arch', 'amd64', '--tmpdir', stage];
}

function environment(stage: string): NodeJS.ProcessEnv {
  return { ...process.env, TMPDIR: stage };
}

function registryFlags(reference: Reference, side: '' | 'src-' | 'dest-', { authFile }: RegistryOptions): string[] {
  return [
    ...(isLoopback(reference) ? [`--${side}tls-verify=false`] : []),
    ...(authFile === undefined ? [] : [`--${side}authfile`, authFile]),
  ];
}

const PULLED = 'pulled';
