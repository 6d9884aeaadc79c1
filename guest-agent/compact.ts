import type { Changes } from './changes.ts';
import type { Clock } from './clock.ts';
import type { Self } from './identity.ts';

/**
 * Calls `compact` once some seconds after containers last changed. V8 collects its garbage when it allocates, so an agent
 * that has nothing to do would keep, for as long as that lasts, what its last starts left.
 *
 * Not after a few changes: they leave less than the collection takes, which writes some megabytes that clones share. Nor
 * after a rehearsal, which all clones of the guest would do again.
 */
export function compactWhenQuiet(
  { changes, self }: { changes: Changes; self: Pick<Self, 'bootId'> },
  clock: Clock,
  compact: () => void,
): void {
  let changed = 0;
  let cancel = () => {};
  const collect = () => {
    changed = 0;
    compact();
  };
  changes.subscribe(() => {
    cancel();
    if (self.bootId() === null) return;
    changed += 1;
    if (changed >= MANY) cancel = clock.after(QUIET, collect);
  });
}

/** Changes: about as many as five containers make that start and end. */
export const MANY = 20;
/** Milliseconds. */
const QUIET = 3000;
