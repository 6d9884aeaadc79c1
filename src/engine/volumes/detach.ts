import { NestError } from '../../errors.ts';
import type { GuestRecord, Guests } from '../../vm/guests.ts';
import type { Volume } from '../../volumes/volume.ts';
import type { Context } from '../context.ts';
import { named, runningWith } from './users.ts';

/** Detaches the volumes of a guest that no container runs with. What fails is logged: the guest keeps it. */
export async function detachUnused(ctx: Context, guestId: string): Promise<void> {
  const guests = ctx.link.current();
  const attached = (await guests?.attachedVolumes(guestId).catch(() => [])) ?? [];
  for (const { id } of attached)
    await ctx.volumes
      .inTurn(id, async () => {
        if (runningWith(ctx, id, guestId).length === 0) await guests?.detachVolume(guestId, id);
      })
      .catch((error: unknown) => ctx.log(`detach volume \`${id}\` from guest \`${guestId}\`: ${String(error)}`));
}

/**
 * Takes a volume from a guest in which nobody runs with it. In the volume's turn.
 *
 * @param operation for the message: "start container `b`"
 * @param except id of a container that does not count
 * @throws NestError `conflict` with who has it and what to do.
 */
export async function takeFrom(
  ctx: Context,
  guests: Guests,
  { guest, volume, operation, except }: { guest: GuestRecord; volume: Volume; operation: string; except?: string },
): Promise<void> {
  const users = runningWith(ctx, volume.id, guest.id, except);
  if (users.length > 0) {
    throw new NestError(
      'conflict',
      `${operation}: volume \`${volume.name}\` is in use in guest \`${guest.name}\` by ${named(users)}; ` +
        'one guest at a time has a volume that is written',
      { hint: `stop what uses it there: nest stop ${users.map(({ record }) => record.name).join(' ')}` },
    );
  }
  if (guest.state !== 'running')
    throw new NestError(
      'conflict',
      `${operation}: volume \`${volume.name}\` is attached to guest \`${guest.name}\`, which is ${guest.state}`,
      {
        hint:
          guest.state === 'paused'
            ? `let it go on: nest vm resume ${guest.name}`
            : `see it: nest vm show ${guest.name}; or delete it: nest vm delete --force ${guest.name}`,
      },
    );
  await guests.detachVolume(guest.id, volume.id);
}
