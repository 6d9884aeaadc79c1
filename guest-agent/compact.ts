import type { Changes } from './changes.ts';
import type { Clock } from './clock.ts';
import type { Self } from './identity.ts';

/**
 * Calls `compact` once some seconds after containers last changed. V8 collects its garbage when it allocates, so an agent
 * that has nothing to do would keep, for as long as that lasts, what its last starts left.
 *
 * Not after a rehearsal: all clones of the guest would do it, and each touch memory that they share.
 */
export function compactWhenQuiet(
  { changes, self }: { changes: Changes; self: Pick<Self, 'bootId'> },
  clock: Clock,
  compact: () => void,
): void {
  let cancel = () => {};
  changes.subscribe(() => {
    cancel();
    if (self.bootId() !== null) cancel = clock.after(QUIET, compact);
  });
}

/** Milliseconds. */
const QUIET = 3000;
