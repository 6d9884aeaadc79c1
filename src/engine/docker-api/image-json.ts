import type { Image } from '../../images/images.ts';

/** An entry of GET /images/json. */
export function imageSummary(image: Image): Record<string, unknown> {
  return {
    Id: image.id,
    ParentId: '',
    ...names(image),
    Created: Math.floor(Date.parse(image.created) / 1000) || 0,
    Size: image.size,
    SharedSize: -1,
    Labels: image.config.Labels,
    Containers: -1,
  };
}

/** GET /images/{name}/json. */
export function imageDetails(image: Image): Record<string, unknown> {
  return {
    Id: image.id,
    ...names(image),
    Parent: '',
    Comment: '',
    Created: image.created,
    Author: '',
    Architecture: image.architecture,
    Os: 'linux',
    Size: image.size,
    Config: image.config,
    RootFS: { Type: 'layers', Layers: image.layers },
    Metadata: {},
  };
}

/** docker.io/library/debian:12 as people write it: debian:12. */
export function familiarName(reference: string): string {
  return reference.replace(/^docker\.io\/(library\/)?/, '');
}

function names({ references }: Image): { RepoTags: string[]; RepoDigests: string[] } {
  const familiar = references.map(familiarName);
  return {
    RepoTags: familiar.filter((name) => !name.includes('@')),
    RepoDigests: familiar.filter((name) => name.includes('@')),
  };
}
