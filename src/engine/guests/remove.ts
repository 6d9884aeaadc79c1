import type { Guests } from '../../vm/guests.ts';
import type { Context } from '../context.ts';
import { detachUnused } from '../volumes/detach.ts';

/**
 * Ends a guest for good. Its containers must be gone, or be lost with it. What they wrote into volumes is on their disks
 * before it ends.
 */
export async function removeGuest(ctx: Context, guests: Guests, guestId: string): Promise<void> {
  ctx.leaving.add(guestId);
  try {
    if (guests.get(guestId)?.state === 'running') await detachUnused(ctx, guestId);
    ctx.watch.drop(guestId);
    await guests.remove(guestId);
  } finally {
    ctx.leaving.delete(guestId);
  }
}
