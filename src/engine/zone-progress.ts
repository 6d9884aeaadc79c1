import { progressTo, type Progress, type ProgressEvent } from '../progress.ts';

/**
 * What the engine does for each zone. Docker's create has no room for progress, so a client that wants to show it listens
 * here meanwhile.
 */
export interface ZoneProgress {
  of(zone: string): Progress;
  /** First what is under way, then each event. @returns the function that ends it. */
  watch(zone: string, listener: (event: ProgressEvent) => void): () => void;
}

export function zoneProgress(): ZoneProgress {
  const zones = new Map<string, Zone>();
  const zoneOf = (name: string) => {
    const zone = zones.get(name) ?? openZone();
    zones.set(name, zone);
    return zone;
  };
  return {
    of: (name) => zoneOf(name).progress,
    watch(name, listener) {
      const { underWay, listeners } = zoneOf(name);
      for (const event of underWay.values()) listener(event);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

interface Zone {
  progress: Progress;
  underWay: Map<number, ProgressEvent>;
  listeners: Set<(event: ProgressEvent) => void>;
}

function openZone(): Zone {
  const underWay = new Map<number, ProgressEvent>();
  const listeners = new Set<(event: ProgressEvent) => void>();
  const progress = progressTo((event) => {
    if (event.type === 'step') {
      if (event.state === 'running') underWay.set(event.id, event);
      else underWay.delete(event.id);
    }
    for (const listener of listeners) listener(event);
  });
  return { progress, underWay, listeners };
}
