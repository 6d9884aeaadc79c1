import type { Readable } from 'node:stream';

/** Output streams that clients still read; removing a container waits for them, so that no last line is lost. */
export interface StreamCounter {
  add<T extends Readable>(containerId: string, stream: T): T;
  /** Resolves when none is open, at the latest after `milliseconds`: a client that does not read holds up nobody. */
  ended(containerId: string, milliseconds: number): Promise<void>;
}

export function countStreams(): StreamCounter {
  const open = new Map<string, Set<Promise<void>>>();
  return {
    add(containerId, stream) {
      const streams = open.get(containerId) ?? new Set();
      open.set(containerId, streams);
      const closed: Promise<void> = new Promise<void>((resolve) => stream.once('close', resolve)).then(() => {
        streams.delete(closed);
        if (streams.size === 0) open.delete(containerId);
      });
      streams.add(closed);
      return stream;
    },
    async ended(containerId, milliseconds) {
      const late = Promise.withResolvers<undefined>();
      const timer = setTimeout(late.resolve, milliseconds, undefined);
      await Promise.race([Promise.all([...(open.get(containerId) ?? [])]), late.promise]);
      clearTimeout(timer);
    },
  };
}
