import { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';

/**
 * Waits for descriptors and calls who waits for them: epoll(7). It stands in for Node's event loop, which cannot go on in a
 * process that forks. A handler may be called without need and must not block: descriptors are non-blocking.
 */
export interface Loop {
  watch(fd: number, events: number, handle: (events: number) => void): void;
  change(fd: number, events: number): void;
  /** Before the descriptor is closed. */
  unwatch(fd: number): void;
  /** Waits once and handles what happened. */
  turn(): void;
}

export function createLoop(sys: Sys): Loop {
  const epoll = sys.epollCreate();
  const handlers = new Map<number, (events: number) => void>();
  return {
    watch(fd, events, handle) {
      sys.epollControl(epoll, EPOLL_CTL_ADD, fd, events);
      handlers.set(fd, handle);
    },
    change: (fd, events) => sys.epollControl(epoll, EPOLL_CTL_MOD, fd, events),
    unwatch(fd) {
      sys.epollControl(epoll, EPOLL_CTL_DEL, fd, 0);
      handlers.delete(fd);
    },
    turn() {
      for (const { fd, events } of sys.epollWait(epoll)) handlers.get(fd)?.(events);
    },
  };
}
