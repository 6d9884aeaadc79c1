import { NestError } from '../../errors.ts';
import type { GuestRecord, Guests } from '../../vm/guests.ts';

/**
 * The way to the guests, opened on first need: the engine serves what needs no guests where libvirt is absent, and a
 * libvirt that came up later is found by the next request.
 */
export interface GuestLink {
  /** @throws NestError `libvirt-unavailable`, `libvirt`. */
  open(): Promise<Guests>;
  /** What is open now. */
  current(): Guests | undefined;
  /** By id. @throws NestError `guest-lost` when there is none, or it has stopped; `conflict` while it is paused. */
  running(id: string): Promise<{ guest: GuestRecord; guests: Guests }>;
  close(): Promise<void>;
}

/** @param opened called once, before anybody else gets the guests. */
export function guestLink(connect: () => Promise<Guests>, opened: (guests: Guests) => void): GuestLink {
  let current: Guests | undefined;
  let opening: Promise<Guests> | undefined;
  const connectOnce = async () => {
    const guests = await connect();
    try {
      await guests.adopt();
    } catch (error) {
      await guests.close();
      throw error;
    }
    current = guests;
    opened(guests);
    return guests;
  };
  const open = () => {
    opening ??= connectOnce().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  return {
    open,
    current: () => current,
    async running(id) {
      const guests = await open();
      const guest = guests.get(id);
      if (guest === undefined || guest.state === 'stopped')
        throw new NestError(
          'guest-lost',
          `guest \`${guest?.name ?? id}\` ${guest === undefined ? 'is gone' : 'stopped'}`,
          {
            hint: 'deploy again, or remove the container and run a new one',
          },
        );
      if (guest.state === 'paused')
        throw new NestError('conflict', `guest \`${guest.name}\` is paused`, {
          hint: `let it go on: nest vm resume ${guest.name}`,
        });
      return { guest, guests };
    },
    async close() {
      await opening?.catch(() => undefined);
      await current?.close();
    },
  };
}
