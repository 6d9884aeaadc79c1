import type { VolumeStore } from '../../volumes/store.ts';
import type { Context } from '../context.ts';
import { detachUnused } from './detach.ts';

/** The host's volumes, and which guests have them. That is libvirt's to know: a domain has the volumes whose disks it has. */
export interface Volumes {
  store: VolumeStore;
  /** Ids of containers that are about to run with their volumes. */
  starting: Set<string>;
  /** One change of a volume, or of a name's, after another. */
  inTurn<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** To be called when a container of that guest has ended: what nobody uses is detached some time later. */
  consider(guestId: string): void;
  close(): void;
}

/** @param milliseconds for which a volume stays attached, as a container that restarts need not plug it each time. */
export function hostVolumes(ctx: Context, store: VolumeStore, milliseconds: number): Volumes {
  const timers = new Map<string, NodeJS.Timeout>();
  const last = new Map<string, Promise<unknown>>();
  return {
    store,
    starting: new Set(),
    async inTurn(key, work) {
      const turn = (last.get(key) ?? Promise.resolve()).then(work, work);
      last.set(key, turn);
      try {
        return await turn;
      } finally {
        if (last.get(key) === turn) last.delete(key);
      }
    },
    consider(id) {
      clearTimeout(timers.get(id));
      const expire = () => {
        timers.delete(id);
        if (ctx.link.current()?.get(id)?.state === 'running' && !ctx.leaving.has(id))
          void ctx.work.track(detachUnused(ctx, id));
      };
      timers.set(id, setTimeout(expire, milliseconds).unref());
    },
    close() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
