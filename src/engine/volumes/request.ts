import type { CreateRequest } from '../containers/request.ts';
import type { Image } from '../../images/images.ts';

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

/** What is asked for, and a volume for each `VOLUME` of the image that nothing else is mounted on. */
export function volumeRequests(
  { volumes, reuse, settings }: Pick<CreateRequest, 'volumes' | 'reuse' | 'settings'>,
  { config }: Image,
): VolumeRequest[] {
  const taken = new Set([...volumes, ...(settings.tmpfs ?? [])].map(({ destination }) => plain(destination)));
  const declared = Object.keys(config.Volumes).filter((destination) => !taken.has(plain(destination)));
  return [...volumes, ...declared.map((destination) => ({ ...ANONYMOUS_VOLUME, destination }))].map((request) => ({
    ...request,
    name: request.name ?? reuse[plain(request.destination)] ?? null,
  }));
}

/** One without a name. */
export const ANONYMOUS_VOLUME = { name: null, readOnly: false, copy: true, size: null, labels: {} };

const plain = (path: string) => path.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
