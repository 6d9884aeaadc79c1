import type { AgentEvent } from './api.ts';

export type Change = Exclude<AgentEvent, { type: 'snapshot' }>;

/** Tells everyone who listens about each change of a container. */
export interface Changes {
  publish(change: Change): void;
  /** The result ends the subscription. */
  subscribe(listener: (change: Change) => void): () => void;
}

export function openChanges(): Changes {
  const listeners = new Set<(change: Change) => void>();
  return {
    publish(change) {
      for (const listener of [...listeners]) listener(change);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
