import { NestError } from '../../errors.ts';
import { isAnonymous, type Volume } from '../../volumes/volume.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { attributesOf } from './create.ts';
import { takeFrom } from './detach.ts';
import { mountsOf, named, usersOf } from './users.ts';

/** @throws NestError `conflict` while a container has it among its mounts, or a guest cannot let go of it. */
export async function removeVolume(ctx: Context, volume: Volume): Promise<void> {
  const operation = `remove volume \`${volume.name}\``;
  await ctx.volumes.inTurn(volume.id, async () => {
    mustBeUnused(ctx, volume, operation);
    await detachEverywhere(ctx, volume, operation);
    mustBeUnused(ctx, volume, operation);
    await ctx.volumes.store.remove(volume.id);
  });
  ctx.events.emit({ type: 'volume', action: 'destroy', id: volume.name, attributes: attributesOf(volume) });
}

/** Gives a volume to another zone. @throws NestError `conflict` while a container has it among its mounts. */
export async function giveToZone(ctx: Context, volume: Volume, zone: string): Promise<Volume> {
  const operation = `give volume \`${volume.name}\` to zone \`${zone}\``;
  return ctx.volumes.inTurn(volume.id, async () => {
    mustBeUnused(ctx, volume, operation);
    await detachEverywhere(ctx, volume, operation);
    mustBeUnused(ctx, volume, operation);
    return ctx.volumes.store.change(volume.id, { zone });
  });
}

/**
 * Its nameless ones that no other has taken up.
 *
 * @param since milliseconds since 1970: older ones stay, as they were another container's before
 */
export async function removeAnonymous(ctx: Context, container: Container, since = 0): Promise<void> {
  for (const { volume: id } of mountsOf(container)) {
    const volume = ctx.volumes.store.get(id);
    if (volume === undefined || !isAnonymous(volume) || usersOf(ctx, id).length > 0) continue;
    if (volume.createdAt < since) continue;
    await removeVolume(ctx, volume).catch((error: unknown) => ctx.log(String(error)));
  }
}

function mustBeUnused(ctx: Context, { id }: Volume, operation: string): void {
  const users = usersOf(ctx, id);
  if (users.length === 0) return;
  throw new NestError('conflict', `${operation}: volume is in use by ${named(users)}`, {
    hint: `remove what uses it: nest rm -f ${users.map(({ record }) => record.name).join(' ')}`,
  });
}

async function detachEverywhere(ctx: Context, volume: Volume, operation: string): Promise<void> {
  if (volume.zone === null) return;
  const guests = await ctx.link.open();
  for (const guest of guests.list())
    if (guest.zone === volume.zone && (await guests.attachedVolumes(guest.id)).some(({ id }) => id === volume.id))
      await takeFrom(ctx, guests, { guest, volume, operation });
}
