import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { noRoom } from './blobs.ts';

/** Holds what a piece of work brings into the store, or relies on, until an image has it or the work has ended. */
export interface Lease extends AsyncDisposable {
  /** A folder for files on their way in, on the same file system; it ends with the lease. */
  readonly stage: string;
  /** Keeps a blob, or a layer's disk by its diff ID. To be called before asking whether it is there. */
  hold(digest: string): void;
  /** What no image has taken stays for a while after the lease's end: the next pull goes on from there. */
  keep(): void;
}

export interface Leases {
  take(): Promise<Lease>;
  holds(digest: string): boolean;
  /** Their stages. */
  stages(): string[];
  /** When the oldest of the leases was taken, milliseconds since 1970; Infinity without any. */
  oldest(): number;
}

/** @param release is told what a lease that ended had held, and removes what is nobody's. */
export function openLeases(folder: string, release: (digests: Set<string>) => Promise<void>): Leases {
  const open = new Map<symbol, { since: number; held: Set<string>; stage: string }>();
  return {
    stages: () => [...open.values()].map(({ stage }) => stage),
    holds: (digest) => open.values().some(({ held }) => held.has(digest)),
    oldest: () => Math.min(...[...open.values()].map(({ since }) => since)),
    async take() {
      const id = Symbol();
      const held = new Set<string>();
      // Named before it is there, so that nobody finds it without an owner.
      const stage = path.join(folder, `${STAGE}${randomBytes(6).toString('hex')}`);
      open.set(id, { since: Date.now(), held, stage });
      await mkdir(stage).catch((error: unknown) => {
        open.delete(id);
        throw noRoom(error, folder);
      });
      let kept = false;
      return {
        stage,
        hold: (digest) => void held.add(digest),
        keep: () => {
          kept = true;
        },
        async [Symbol.asyncDispose]() {
          open.delete(id);
          await rm(stage, { recursive: true, force: true });
          if (!kept) await release(held);
        },
      };
    },
  };
}

/** Begins the names of stages; those of a killed engine are removed when the store is opened. */
export const STAGE = 'staging-';
