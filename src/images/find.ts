import { NestError } from '../errors.ts';
import { formatReference, parseReference } from './references.ts';
import type { StoredImage } from './store.ts';

/**
 * The id of the image that Docker would take for `name`: a full id, a name, a repository at a manifest's digest, or an
 * id's begin.
 *
 * @throws NestError `invalid-input` for an id's begin that fits several images
 */
export function findImage(images: StoredImage[], name: string): string | undefined {
  const byId = images.find(({ image }) => image.id === name || image.id === `sha256:${name}`);
  return (byId ?? byName(images, name) ?? byPrefix(images, name))?.image.id;
}

function byName(images: StoredImage[], name: string): StoredImage | undefined {
  const reference = parsed(name);
  if (!reference) return undefined;
  const full = formatReference(reference);
  const { repository, digest } = reference;
  const isOf = (known: string) => known.startsWith(`${repository}:`) || known.startsWith(`${repository}@`);
  return (
    images.find(({ references }) => references.includes(full)) ??
    images.find(({ references, manifest }) => manifest.digest === digest && references.some(isOf))
  );
}

function parsed(name: string) {
  try {
    return parseReference(name);
  } catch (error) {
    if (error instanceof NestError) return undefined;
    throw error;
  }
}

function byPrefix(images: StoredImage[], name: string): StoredImage | undefined {
  const digits = name.replace(/^sha256:/, '');
  if (!/^[0-9a-f]{4,64}$/.test(digits)) return undefined;
  const fitting = images.filter(({ image }) => image.id.startsWith(`sha256:${digits}`));
  if (new Set(fitting.map(({ image }) => image.id)).size > 1)
    throw new NestError('invalid-input', `find image \`${name}\`: several ids begin so`, {
      hint: 'Give more digits of the id.',
    });
  return fitting[0];
}
