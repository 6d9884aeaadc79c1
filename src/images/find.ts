import { NestError } from '../errors.ts';
import { formatReference, parseReference } from './references.ts';
import type { StoredImage } from './store.ts';

export interface FoundImage {
  id: string;
  /** The image's own name that was meant; undefined where an id was given. */
  reference?: string;
}

/**
 * The image that Docker would take for `name`: a full id, a name, a repository at a manifest's digest, or an id's begin.
 *
 * @throws NestError `invalid-input` for an id's begin that fits several images
 */
export function findImage(images: StoredImage[], name: string): FoundImage | undefined {
  const byId = images.find(({ image }) => image.id === name || image.id === `sha256:${name}`);
  if (byId) return { id: byId.image.id };
  return byName(images, name) ?? byPrefix(images, name);
}

/** For a request that cannot do without it. */
export function imageNotFound(name: string): NestError {
  return new NestError('image-not-found', `No such image: ${name.slice(0, 300)}`, {
    hint: '`nest image list` shows those that are here, `nest image pull` and `nest image load` bring one in',
  });
}

function byName(images: StoredImage[], name: string): FoundImage | undefined {
  const reference = parsed(name);
  if (!reference) return undefined;
  const full = formatReference(reference);
  const named = images.find(({ references }) => references.includes(full));
  if (named) return { id: named.image.id, reference: full };
  const { repository, digest } = reference;
  const isOf = (known: string) => known.startsWith(`${repository}:`) || known.startsWith(`${repository}@`);
  const pinned = images.find(({ references, manifest }) => manifest.digest === digest && references.some(isOf));
  return pinned && { id: pinned.image.id };
}

function parsed(name: string) {
  try {
    return parseReference(name);
  } catch (error) {
    if (error instanceof NestError) return undefined;
    throw error;
  }
}

function byPrefix(images: StoredImage[], name: string): FoundImage | undefined {
  const digits = name.replace(/^sha256:/, '');
  if (!/^[0-9a-f]{4,64}$/.test(digits)) return undefined;
  const fitting = new Set(images.map(({ image }) => image.id).filter((id) => id.startsWith(`sha256:${digits}`)));
  if (fitting.size > 1)
    throw new NestError('invalid-input', `find image \`${name}\`: several ids begin so`, {
      hint: 'Give more digits of the id.',
    });
  const [id] = fitting;
  return id === undefined ? undefined : { id };
}
