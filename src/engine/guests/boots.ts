import type { AcceleratorChoice } from '../../api.ts';
import { NestError } from '../../errors.ts';
import { OWN_GUEST_IMAGE } from '../../guest-image/guest-image.ts';
import type { Progress } from '../../progress.ts';
import type { GuestRecord, Guests, GuestShape } from '../../vm/guests.ts';

/** Guests that are booting, by name. Several containers may wait for one. */
export type Boots = Map<string, Boot>;

interface Boot {
  zone: string;
  guestImage: string;
  shape: GuestShape;
  record: Promise<GuestRecord>;
  waiting: number;
  abort: AbortController;
}

export interface BootRequest {
  zone: string;
  name: string;
  /** Undefined to join a boot that is under way. */
  shape: GuestShape | undefined;
  /** Name of what it boots. */
  guestImage: string;
  accelerator: AcceleratorChoice;
}

/**
 * Boots a guest, or waits for the one of that name that is booting. The boot is cancelled when the last that wait for it
 * have gone away; that one waits until nothing of the guest is left.
 */
export async function bootOnce(
  boots: Boots,
  guests: Guests,
  request: BootRequest,
  progress: Progress,
  signal?: AbortSignal,
): Promise<GuestRecord> {
  const underWay = boots.get(request.name);
  if (underWay !== undefined)
    return progress.step(`Waiting for guest ${request.name}`, () => waitFor(underWay, signal));
  if (request.shape === undefined)
    throw new NestError('guest-lost', `boot guest \`${request.name}\`: it ended meanwhile`, { hint: 'try again' });
  return waitFor(begin(boots, guests, { ...request, shape: request.shape }, progress), signal);
}

function begin(boots: Boots, guests: Guests, request: BootRequest & { shape: GuestShape }, progress: Progress): Boot {
  const abort = new AbortController();
  const stock = request.guestImage === OWN_GUEST_IMAGE ? null : request.guestImage;
  const record = guests.create({ ...request, stock }, progress, abort.signal).finally(() => boots.delete(request.name));
  const boot: Boot = { ...request, record, waiting: 0, abort };
  boots.set(request.name, boot);
  return boot;
}

async function waitFor(boot: Boot, signal?: AbortSignal): Promise<GuestRecord> {
  boot.waiting += 1;
  const cancelled = Promise.withResolvers<never>();
  const cancel = () => {
    boot.waiting -= 1;
    const reason = new NestError('cancelled', 'boot a guest: cancelled');
    if (boot.waiting > 0) {
      cancelled.reject(reason);
      return;
    }
    boot.abort.abort();
    const done = () => cancelled.reject(reason);
    boot.record.then(done, done);
  };
  if (signal?.aborted === true) cancel();
  else signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await Promise.race([cancelled.promise, boot.record]);
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}
