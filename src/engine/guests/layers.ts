import type { Context } from '../context.ts';

/** Takes layers out of guests some time after their last container has gone. */
export interface UnusedLayers {
  /** To be called when a container of that guest has gone. */
  consider(guestId: string): void;
  close(): void;
}

/** @param milliseconds for which a layer stays: `run --rm` again and again need not plug it each time. */
export function unusedLayers(ctx: Context, milliseconds: number): UnusedLayers {
  const timers = new Map<string, NodeJS.Timeout>();
  const detach = async (id: string) => {
    timers.delete(id);
    const guests = ctx.link.current();
    const guest = guests?.get(id);
    if (guest?.state !== 'running' || ctx.leaving.has(id)) return;
    const containers = () => ctx.state.containers.all().filter((container) => container.guest === id);
    // Who holds a seat is about to attach what no row tells yet, and will be followed by another look.
    await guests?.detachLayers(id, () =>
      ctx.seats.taken(id) ? 'all' : containers().flatMap(({ record }) => record.spec.layers),
    );
  };
  return {
    consider(id) {
      clearTimeout(timers.get(id));
      const expire = () =>
        void ctx.work
          .track(detach(id))
          .catch((error: unknown) => ctx.log(`detach layers from guest \`${id}\`: ${String(error)}`));
      timers.set(id, setTimeout(expire, milliseconds).unref());
    },
    close() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
