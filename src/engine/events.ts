import { EventEmitter } from 'node:events';
import type { HealthStatus } from '../../guest-agent/api.ts';

/** What happened on this host, in the words of the Docker Engine API's GET /events. */
export interface EngineEvent {
  type: 'container' | 'image' | 'volume' | 'guest';
  action:
    | 'create'
    | 'start'
    | 'die'
    | 'oom'
    | 'kill'
    | 'stop'
    | 'update'
    | `health_status: ${HealthStatus}`
    | 'rename'
    | 'destroy'
    | 'load'
    | 'pull'
    | 'pause'
    | 'unpause'
    | 'unreachable'
    | 'build'
    | 'commit'
    | 'push'
    | 'save'
    | 'tag'
    | 'untag'
    | 'delete';
  id: string;
  /** For containers: labels, `name`, `image`, and `exitCode` of a die. For guests: `name`, `zone`, `reason`. */
  attributes: Record<string, string>;
  /** Milliseconds since 1970. */
  time: number;
}

export interface Events {
  emit(event: Omit<EngineEvent, 'time'>): void;
  /** @returns the function that ends it. */
  on(listener: (event: EngineEvent) => void): () => void;
  /** The latest ones, oldest first. */
  recent(): readonly EngineEvent[];
}

export function createEvents(): Events {
  const emitter = new EventEmitter().setMaxListeners(0);
  const recent: EngineEvent[] = [];
  return {
    emit(happened) {
      const event = { ...happened, time: Date.now() };
      recent.push(event);
      if (recent.length > KEPT) recent.shift();
      emitter.emit('event', event);
    },
    on(listener) {
      emitter.on('event', listener);
      return () => emitter.off('event', listener);
    },
    recent: () => recent,
  };
}

/** As many as dockerd keeps for `since`. */
const KEPT = 256;
