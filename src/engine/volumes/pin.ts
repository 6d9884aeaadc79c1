import type { VolumeMount } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { PlacementRequest } from '../../placement/place.ts';
import type { Guests } from '../../vm/guests.ts';
import { isUp } from '../containers/observe.ts';
import type { Context } from '../context.ts';
import { mountsOf } from './users.ts';

/** A container in a guest, or on its way there. */
export interface PlacedUser {
  guestName: string;
  volumes: VolumeMount[];
  /** It runs or is about to: the volume stays where it is. */
  firm: boolean;
}

/** All containers that are in guests which go on, with their volumes. */
export function placedUsers(ctx: Context, guests: Guests): PlacedUser[] {
  return ctx.state.containers.all().flatMap((container) => {
    const guestName = guests.get(container.guest ?? '')?.name;
    const volumes = mountsOf(container);
    if (guestName === undefined || container.lost !== null || volumes.length === 0) return [];
    const firm =
      isUp(container) || container.state.status === 'created' || ctx.volumes.starting.has(container.record.id);
    return { guestName, volumes, firm };
  });
}

/**
 * The guest that a container must join, or should, because a volume that it or somebody there writes is used there: only one
 * guest at a time can have it.
 *
 * @throws NestError `conflict` when its volumes are in several guests.
 */
export function pinOf(
  wanted: VolumeMount[],
  users: PlacedUser[],
  nameOf: (volumeId: string) => string,
): PlacementRequest['pin'] {
  const pins = wanted.flatMap(({ volume, readOnly }) => {
    const others = users.flatMap(({ volumes, ...user }) =>
      volumes.filter((mount) => mount.volume === volume).map((mount) => ({ ...user, readOnly: mount.readOnly })),
    );
    const written = readOnly !== true || others.some((other) => other.readOnly !== true);
    return written ? others.map(({ guestName, firm }) => ({ guest: guestName, volume: nameOf(volume), firm })) : [];
  });
  const firm = pins.filter((pin) => pin.firm);
  const [first] = firm.length > 0 ? firm : pins;
  const other = firm.find(({ guest }) => guest !== first?.guest);
  if (first === undefined || other === undefined) return first;
  throw new NestError(
    'conflict',
    `volume \`${first.volume}\` is in use in guest \`${first.guest}\`, volume \`${other.volume}\` in guest \`${other.guest}\``,
    { hint: 'one guest at a time has a volume that is written: stop the containers of one of them (nest ps)' },
  );
}
