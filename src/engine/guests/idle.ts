import { isBuildZone } from '../build/zone.ts';
import type { Context } from '../context.ts';

/** Guests without containers end by themselves. */
export interface IdleGuests {
  /** To be called when a guest may have become empty. One that has stopped, or that a build left, goes at once: it is of no more use. */
  consider(guestId: string): void;
  isEmpty(guestId: string): boolean;
  /** Removes it now if it is empty. @returns whether it was. */
  removeIfEmpty(guestId: string): Promise<boolean>;
  close(): void;
}

/** @param remove ends a guest for good. */
export function idleGuests(
  ctx: Context,
  idleMilliseconds: number,
  remove: (guestId: string) => Promise<void>,
): IdleGuests {
  const timers = new Map<string, NodeJS.Timeout>();
  const isEmpty = (id: string) =>
    !ctx.seats.taken(id) && ctx.state.containers.all().every((container) => container.guest !== id);
  const removeIfEmpty = async (id: string) => {
    clearTimeout(timers.get(id));
    timers.delete(id);
    if (!isEmpty(id)) return false;
    await remove(id);
    return true;
  };
  return {
    consider(id) {
      clearTimeout(timers.get(id));
      timers.delete(id);
      const guest = ctx.link.current()?.get(id);
      // One that somebody has stopped is kept for them.
      if (guest === undefined || !isEmpty(id) || (guest.state === 'stopped' && guest.reason === null)) return;
      const expire = () =>
        void removeIfEmpty(id).catch((error: unknown) =>
          ctx.log(`remove idle guest \`${guest.name}\`: ${String(error)}`),
        );
      timers.set(
        id,
        setTimeout(expire, guest.state === 'stopped' || isBuildZone(guest.zone) ? 0 : idleMilliseconds).unref(),
      );
    },
    isEmpty,
    removeIfEmpty,
    close() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
