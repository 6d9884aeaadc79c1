import type { VolumeMount } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { Guests } from '../../vm/guests.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { takeFrom } from './detach.ts';
import { otherZone } from './take.ts';
import { isOnlyRead, mountsOf, runningWith } from './users.ts';

/**
 * Attaches the volumes of a container that is about to start to its guest. They stay until it has ended: what is returned
 * is to be disposed of once it runs, or did not come to it.
 *
 * @throws NestError `conflict` when another guest has one of them and cannot let go of it; `not-found`.
 */
export async function attachVolumes(ctx: Context, container: Container): Promise<Disposable> {
  const { record, guest } = container;
  if (guest === null || mountsOf(container).length === 0) return { [Symbol.dispose]: () => undefined };
  ctx.volumes.starting.add(record.id);
  const release = () => {
    ctx.volumes.starting.delete(record.id);
    ctx.volumes.consider(guest);
  };
  try {
    const guests = await ctx.link.open();
    for (const mount of mountsOf(container))
      await ctx.volumes.inTurn(mount.volume, () => attach(ctx, guests, { container, guestId: guest, mount }));
    return { [Symbol.dispose]: release };
  } catch (error) {
    release();
    throw error;
  }
}

async function attach(
  ctx: Context,
  guests: Guests,
  { container, guestId, mount }: { container: Container; guestId: string; mount: VolumeMount },
): Promise<void> {
  const { name, zone } = container.record;
  const operation = `start container \`${name}\``;
  const volume = ctx.volumes.store.get(mount.volume);
  if (volume === undefined)
    throw new NestError('not-found', `${operation}: the volume on \`${mount.destination}\` is gone`, {
      hint: `remove the container and run a new one: nest rm ${name}`,
    });
  if (volume.zone !== zone) throw otherZone(volume, zone, operation);
  const readOnly = isOnlyRead(ctx, volume.id);
  const except = container.record.id;
  // No guest of another zone has it, or gets it.
  for (const guest of guests.list().filter((each) => each.zone === zone)) {
    const there = (await guests.attachedVolumes(guest.id)).find(({ id }) => id === volume.id);
    if (there === undefined) continue;
    const fits = there.readOnly ? readOnly : guest.id === guestId && !readOnly;
    // Writable is more than a reader needs: nobody who runs is stopped for that.
    const serves = guest.id === guestId && mount.readOnly === true;
    if (fits || (serves && runningWith(ctx, volume.id, guest.id, except).length > 0)) continue;
    await takeFrom(ctx, guests, { guest, volume, operation, except });
  }
  await guests.attachVolume(guestId, { id: volume.id, file: ctx.volumes.store.disk(volume.id), readOnly });
}
