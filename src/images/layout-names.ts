import path from 'node:path';
import { normalize } from './references.ts';

/**
 * What an image of a layout is called here. The specification leaves to the annotation what it holds: some tools write
 * a full name, some (umoci, skopeo, buildah) a mere tag or nothing; then the folder or file gives the name, as podman
 * does it: `hello/` with the tag `1` is `localhost/hello:1`.
 *
 * @param siblings number of images in the layout; several without a name cannot share the folder's.
 * @returns one name or none.
 * @throws NestError `invalid-input` when the annotation is no name at all
 */
export function nameInLayout(annotation: string | undefined, source: string, siblings: number): string[] {
  if (annotation !== undefined && !TAG.test(annotation)) return [normalize(annotation)];
  if (annotation === undefined && siblings > 1) return [];
  const base = path
    .basename(path.resolve(source))
    .toLowerCase()
    .replace(/(\.oci)?(\.tar)?(\.(gz|tgz|zst))?$/, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return base === '' ? [] : [normalize(`localhost/${base}:${annotation ?? 'latest'}`)];
}

const TAG = /^\w[\w.-]{0,127}$/;
