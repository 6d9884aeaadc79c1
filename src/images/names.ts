import { NestError } from '../errors.ts';
import type { FoundImage } from './find.ts';
import { parseReference } from './references.ts';
import type { StoredImage } from './store.ts';

/**
 * The images with one more name for `id`, taken away from whoever had it.
 *
 * @param reference normalized
 * @throws NestError `invalid-input` for a name with a digest, which no image can be given
 */
export function tagged(images: StoredImage[], id: string, reference: string): StoredImage[] {
  if (parseReference(reference).digest !== undefined)
    throw new NestError('invalid-input', `tag image as \`${reference}\`: a digest is no tag`);
  const target = images.find(({ image }) => image.id === id)?.manifest.digest;
  return images.map((image) => {
    const others = image.references.filter((name) => name !== reference);
    return { ...image, references: image.manifest.digest === target ? [...others, reference] : others };
  });
}

/** A container that was made from an image. */
export interface ImageUser {
  name: string;
  running: boolean;
}

export interface Removal {
  images: StoredImage[];
  untagged: string[];
  /** True when the image itself has gone. */
  deleted: boolean;
}

/**
 * The images without a name, or without an image when it was its last one, by Docker's rules: an id takes all names if
 * they are of one repository; containers keep their image unless `force`, and running ones always.
 *
 * @throws NestError `conflict`
 */
export function removed(
  images: StoredImage[],
  { id, reference }: FoundImage,
  { force, users }: { force: boolean; users: ImageUser[] },
): Removal {
  const names = images.filter(({ image }) => image.id === id).flatMap(({ references }) => references);
  const untagged = reference === undefined ? names : [reference];
  const shown = reference ?? id.slice(0, 19);
  const refuse = (why: string, hint: string) =>
    new NestError('conflict', `remove image \`${shown}\`: ${why}`, { hint });
  const repositories = new Set(names.map((name) => parseReference(name).repository));
  if (reference === undefined && repositories.size > 1 && !force)
    throw refuse('it has names in several repositories', 'Name one of them, or take all away with --force.');
  const last = untagged.length === names.length;
  const [user] = users;
  if (last && user && !force)
    throw refuse(`container \`${user.name}\` was made from it`, `Remove the container first: nest rm ${user.name}`);
  const running = users.some((each) => each.running);
  if (last && running && reference === undefined)
    throw refuse(
      'a running container was made from it',
      `Stop and remove the container first: nest rm -f ${user?.name ?? ''}`,
    );
  const deleted = last && !running;
  return {
    images: deleted
      ? images.filter(({ image }) => image.id !== id)
      : images.map((image) => ({ ...image, references: image.references.filter((name) => !untagged.includes(name)) })),
    untagged,
    deleted,
  };
}
