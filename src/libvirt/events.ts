import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { libvirt } from './ffi.ts';
import type { WatchMessage, WatchRequest } from './event-loop.ts';
import { startThread } from './thread.ts';

/** virDomainEventType, the ones a guest's life is told by. */
export type LifecycleEvent =
  'defined' | 'undefined' | 'started' | 'suspended' | 'resumed' | 'stopped' | 'shutdown' | 'crashed';

export interface Watcher {
  onLifecycle(event: { name: string; event: LifecycleEvent; ioError: boolean }): void;
  /** True when events flow (again): what happened before must be asked for. False when the connection is lost. */
  onConnection(connected: boolean): void;
}

/** Tells of every domain's life until closed; connects again for as long as it takes when libvirtd went away. */
export function watchDomains(uri: string, watcher: Watcher): { close(): void } {
  const id = ++lastId;
  const closing = new AbortController();
  let connected = false;
  let pause = SHORTEST_PAUSE_MS;

  const receive = (message: WatchMessage): void => {
    if (message.id !== id) return;
    switch (message.type) {
      case 'lifecycle': {
        const event = EVENTS[message.event];
        if (event !== undefined)
          watcher.onLifecycle({ name: message.name, event, ioError: isIoError(event, message.detail) });
        break;
      }
      case 'opened':
        pause = SHORTEST_PAUSE_MS;
        connected = true;
        watcher.onConnection(true);
        break;
      case 'lost':
        if (connected) watcher.onConnection(false);
        connected = false;
        void delay(pause, undefined, { signal: closing.signal }).then(
          () => ask({ type: 'open', id, uri }),
          () => undefined,
        );
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  };
  receivers.add(receive);
  ask({ type: 'open', id, uri });
  thread?.ref();

  return {
    close() {
      if (closing.signal.aborted) return;
      closing.abort();
      receivers.delete(receive);
      ask({ type: 'close', id });
      if (receivers.size === 0) thread?.unref();
    },
  };
}

/** A write to one of its disks failed, for which QEMU stops a domain whose host has no space left. */
function isIoError(event: LifecycleEvent, detail: number): boolean {
  return event === 'suspended' && detail === VIR_DOMAIN_EVENT_SUSPENDED_IOERROR;
}

/** The process's only event thread, from the first watch to the process's end, which it delays only while somebody watches. */
let thread: Worker | undefined;
let lastId = 0;
const receivers = new Set<(message: WatchMessage) => void>();

function ask(request: WatchRequest): void {
  if (!thread) {
    thread = startThread({ role: 'events' });
    thread.on('message', (message: WatchMessage) => {
      for (const receive of receivers) receive(message);
    });
    // A process that ends waits for its threads, and this one waits for libvirt.
    process.once('exit', () => ask({ type: 'stop' }));
  }
  thread.postMessage(request);
  interrupt();
}

/** A timer that is due at once makes the event loop return; its callback, called with its own id, removes it. */
function interrupt(): void {
  const library = libvirt();
  library.virEventAddTimeout(0, library.address.virEventRemoveTimeout, null, null);
}

/** virDomainEventType, in its order; 7 is pmsuspended. */
const EVENTS: (LifecycleEvent | undefined)[] = [
  'defined',
  'undefined',
  'started',
  'suspended',
  'resumed',
  'stopped',
  'shutdown',
  undefined,
  'crashed',
];
/** libvirt-domain.h, virDomainEventSuspendedDetailType. */
const VIR_DOMAIN_EVENT_SUSPENDED_IOERROR = 2;
const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
