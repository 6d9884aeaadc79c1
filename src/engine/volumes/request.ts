import { MOUNTS_LIMIT } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { CreateRequest } from '../containers/request.ts';
import type { Image } from '../../images/images.ts';
import { mountDestination, plainPath } from './destination.ts';

/** A volume as a container asks for it. */
export interface VolumeRequest {
  /** Null: one without a name of its own, new. */
  name: string | null;
  destination: string;
  readOnly: boolean;
  /** An empty one gets what the image has there. */
  copy: boolean;
  /** Of a new one; bytes, null for the usual size. */
  size: number | null;
  labels: Record<string, string>;
}

/**
 * What is asked for, and a volume for each `VOLUME` of the image that nothing else is mounted on.
 *
 * @throws NestError `invalid-input` for a `VOLUME` that cannot be, or more of them than a container can have
 */
export function volumeRequests(
  { volumes, reuse, settings }: Pick<CreateRequest, 'volumes' | 'reuse' | 'settings'>,
  { config }: Image,
): VolumeRequest[] {
  const tmpfs = (settings.tmpfs ?? []).map(({ destination }) => plainPath(destination));
  const taken = new Set([...volumes.map(({ destination }) => destination), ...tmpfs]);
  const paths = Object.keys(config.Volumes).map((path) => mountDestination(`VOLUME ${path.slice(0, 256)}`, path));
  const declared = [...new Set(paths)].filter((path) => !taken.has(path));
  const all = [...volumes, ...declared.map((destination) => ({ ...ANONYMOUS_VOLUME, destination }))];
  if (all.length > MOUNTS_LIMIT)
    throw new NestError(
      'invalid-input',
      `create container: ${all.length} volumes, a container can have ${MOUNTS_LIMIT}`,
      {
        hint: 'its image declares some of them: build it with fewer',
      },
    );
  return all.map((request) => ({ ...request, name: request.name ?? reuse[request.destination] ?? null }));
}

/** One without a name. */
export const ANONYMOUS_VOLUME = { name: null, readOnly: false, copy: true, size: null, labels: {} };
