import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { NestError } from '../errors.ts';
import { formatReference, isLoopback, type Reference } from './references.ts';
import { runTool, ToolFailed } from './tool.ts';

export interface FetchOptions {
  /** A folder of ours for skopeo's temporary files. */
  stage: string;
  /** Folder of the layout to make, relative to `stage`. */
  layout: string;
  detail: (text: string) => void;
  signal?: AbortSignal | undefined;
}

/**
 * Fetches the linux/amd64 image of a registry into an OCI layout of its own. Credentials are those of `skopeo login`,
 * `podman login` and `docker login` (containers-auth.json(5)).
 *
 * @throws NestError `image-not-found`, `unauthorized`, `unsupported`, `no-room`, `tool-missing`
 */
export async function fetchFromRegistry(reference: Reference, options: FetchOptions): Promise<void> {
  const name = formatReference(reference);
  const flags = isLoopback(reference) ? ['--src-tls-verify=false'] : [];
  await copy(`docker://${name}`, flags, options).catch((error: unknown) => {
    throw error instanceof ToolFailed ? pullError(name, error) : error;
  });
}

/**
 * Turns one image of a docker archive into an OCI layout of its own.
 *
 * @param archive a plain tar: skopeo 1.9 fails on compressed ones.
 * @param index the image's position in the archive's manifest.json.
 * @throws NestError `image-invalid`, `no-room`, `tool-missing`
 */
export async function fetchFromDockerArchive(archive: string, index: number, options: FetchOptions): Promise<void> {
  // skopeo takes a colon in a path for the begin of a tag.
  const link = `archive-${index}`;
  await symlink(path.resolve(archive), path.join(options.stage, link));
  await copy(`docker-archive:${link}:@${index}`, [], options).catch((error: unknown) => {
    if (!(error instanceof ToolFailed)) throw error;
    throw new NestError('image-invalid', `read image ${index + 1} of the archive: ${reason(error)}`, {
      hint: 'The archive is damaged or incomplete. Save the image again.',
      cause: error,
    });
  });
}

async function copy(source: string, flags: string[], { stage, layout, detail, signal }: FetchOptions): Promise<void> {
  // The policy file is about signatures of podman's own pulls; here digests prove what arrives.
  const always = ['--insecure-policy', '--override-os', 'linux', '--override-arch', 'amd64', '--tmpdir', stage];
  await runTool(
    'skopeo',
    [...always, 'copy', '--dest-oci-accept-uncompressed-layers', ...flags, source, `oci:${layout}`],
    {
      cwd: stage,
      env: { ...process.env, TMPDIR: stage },
      signal,
      onLine: (line) => detail(line.replace(/(sha256:[0-9a-f]{12})[0-9a-f]+/, '$1').slice(0, 100)),
    },
  ).catch((error: unknown) => {
    if (!(error instanceof ToolFailed) || !error.stderr.includes('no space left on device')) throw error;
    throw new NestError('no-room', `write \`${stage}\`: no space left on device`, {
      hint: 'Free disk space in the data directory, then run the same command again.',
      cause: error,
    });
  });
}

/** What a registry's refusal means to the user; the words are those of containers/image 5 and of the registries' own. */
function pullError(name: string, error: ToolFailed): NestError {
  const why = reason(error);
  const matched = CAUSES.find(({ words }) => words.test(why));
  if (!matched) return new NestError('internal', `pull \`${name}\`: ${why}`, { cause: error });
  const { code, say, hint } = matched;
  return new NestError(code, `pull \`${name}\`: ${say ?? why}`, { hint, cause: error });
}

/** skopeo logs `time="…" level=fatal msg="…"`; the message's last parts tell the cause. */
function reason({ stderr }: ToolFailed): string {
  const message = /level=fatal msg="((?:[^"\\]|\\.)*)"/.exec(stderr)?.[1] ?? stderr.trim();
  return message.replace(/\\(.)/g, '$1').replace(/\s+/g, ' ').slice(-300);
}

const CAUSES: { words: RegExp; code: NestError['code']; say?: string; hint: string }[] = [
  {
    words: /no image found in (manifest list|image index)|does not match the requested|no child with platform/i,
    code: 'unsupported',
    say: 'it is not made for linux/amd64',
    hint: 'Guests run linux/amd64: take an image made for it.',
  },
  {
    words: /manifest unknown|name unknown|not found|404/i,
    code: 'image-not-found',
    say: 'not found: the registry has no such image or tag',
    hint: 'Check name and tag. An image in a file is brought in with `nest image load FILE`.',
  },
  {
    words: /unauthorized|access to the resource is denied|authentication required|403/i,
    code: 'unauthorized',
    say: 'not found, or not to be had without a login',
    hint: 'Check the name; for a private image run `skopeo login REGISTRY` first.',
  },
  {
    words: /connection refused|no such host|timeout|unreachable|connection reset|EOF|server gave HTTP|x509|tls:/i,
    code: 'image-not-found',
    hint: 'The registry cannot be reached. Check its address, or load the image from a file: `nest image load FILE`.',
  },
];
