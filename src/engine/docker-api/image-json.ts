import { familiarName, parseReference, type Image } from '../../images/images.ts';

/** An entry of GET /images/json. @param containers how many were made from it. */
export function imageSummary(image: Image, containers: number): Record<string, unknown> {
  return {
    Id: image.id,
    ParentId: '',
    ...names(image),
    Created: seconds(image.created),
    Size: image.size,
    SharedSize: -1,
    Labels: image.config.Labels,
    Containers: containers,
  };
}

/** GET /images/{name}/json. */
export function imageDetails(image: Image): Record<string, unknown> {
  return {
    Id: image.id,
    ...names(image),
    Parent: '',
    Comment: image.history.at(-1)?.comment ?? '',
    Created: image.created,
    Author: image.author,
    Architecture: image.architecture,
    Os: 'linux',
    Size: image.size,
    Config: image.config,
    RootFS: { Type: 'layers', Layers: image.layers },
    Metadata: {},
  };
}

/** GET /images/{name}/history: the newest first; only the image itself has an id. */
export function imageHistory(image: Image): Record<string, unknown>[] {
  return image.history.toReversed().map(({ created, createdBy, comment, size }, i) => ({
    Id: i === 0 ? image.id : '<missing>',
    Created: seconds(created),
    CreatedBy: createdBy,
    Tags: i === 0 ? names(image).RepoTags : null,
    Size: size,
    Comment: comment,
  }));
}

/** What people call the image: its first name, or its id. */
export function nameOf({ id, references: [reference] }: Image): string {
  return reference === undefined ? id : familiarName(reference);
}

function names({ references, digests }: Image): { RepoTags: string[]; RepoDigests: string[] } {
  const repositories = new Set(references.map((name) => familiarName(parseReference(name).repository)));
  return {
    RepoTags: references.map(familiarName).filter((name) => !name.includes('@')),
    RepoDigests: [...repositories].flatMap((repository) => digests.map((digest) => `${repository}@${digest}`)),
  };
}

function seconds(time: string): number {
  return Math.floor(Date.parse(time) / 1000) || 0;
}
