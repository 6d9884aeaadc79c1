import type { Guests } from '../../vm/guests.ts';
import type { Context } from '../context.ts';

/** Ends a guest for good. Its containers must be gone, or be lost with it. */
export async function removeGuest(ctx: Context, guests: Guests, guestId: string): Promise<void> {
  ctx.leaving.add(guestId);
  try {
    ctx.watch.drop(guestId);
    await guests.remove(guestId);
  } finally {
    ctx.leaving.delete(guestId);
  }
}
