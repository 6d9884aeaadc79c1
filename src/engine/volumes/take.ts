import { randomBytes } from 'node:crypto';
import type { VolumeMount } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import { ANONYMOUS, DEFAULT_SIZE, newVolumeId, type Volume } from '../../volumes/volume.ts';
import type { Context } from '../context.ts';
import { createVolume } from './create.ts';
import { serviceLabels } from './service.ts';
import type { VolumeRequest } from './request.ts';

/** The mounts that need no name: their ids are known before their disks are made, so that a crash leaves none unknown. */
export function anonymousMounts(requests: VolumeRequest[]): VolumeMount[] {
  return requests.map((request) => mountOf(request, newVolumeId()));
}

/**
 * The volumes of a container: those that exist by name, and new ones for the others. A disk never goes from one trust zone
 * to another by being named.
 *
 * @param anonymous of each request without a name, in order
 * @param made takes each new one's id as soon as it is there
 * @throws NestError `conflict` for a volume of another zone.
 */
export async function takeVolumes(
  ctx: Context,
  { zone, operation, requests, anonymous, owner }: Taking,
  made: (id: string) => void,
): Promise<VolumeMount[]> {
  const left = [...anonymous];
  const mounts: VolumeMount[] = [];
  for (const request of requests) {
    const { name, size, labels } = request;
    const fresh = { zone, size: size ?? DEFAULT_SIZE, labels };
    if (name === null) {
      const mount = left.shift() ?? mountOf(request, newVolumeId());
      const mark = { [ANONYMOUS]: '', ...serviceLabels(owner, request.destination), ...labels };
      await createVolume(ctx, { ...fresh, id: mount.volume, name: randomBytes(32).toString('hex'), labels: mark });
      made(mount.volume);
      mounts.push(mount);
      continue;
    }
    const volume = await ctx.volumes.inTurn(name, async () => {
      const known = ctx.volumes.store.byName(name);
      if (known !== undefined) return known.zone === null ? ctx.volumes.store.change(known.id, { zone }) : known;
      const created = await createVolume(ctx, { ...fresh, name });
      made(created.id);
      return created;
    });
    if (volume.zone !== zone) throw otherZone(volume, zone, operation);
    mounts.push(mountOf(request, volume.id));
  }
  return mounts;
}

interface Taking {
  zone: string;
  /** For messages: "create container `a`". */
  operation: string;
  requests: VolumeRequest[];
  anonymous: VolumeMount[];
  /** The container's labels. */
  owner: Readonly<Record<string, string>>;
}

function mountOf({ destination, readOnly, copy }: VolumeRequest, volume: string): VolumeMount {
  return { volume, destination, ...(readOnly && { readOnly }), ...(!copy && { copy }) };
}

export function otherZone({ name, zone }: Volume, wanted: string, operation: string): NestError {
  return new NestError(
    'conflict',
    `${operation}: volume \`${name}\` belongs to zone \`${zone ?? ''}\`, the container to zone \`${wanted}\``,
    {
      hint: `run it there: --zone ${zone ?? ''}; or give the volume to the other zone: nest volume update --zone ${wanted} ${name}`,
    },
  );
}
