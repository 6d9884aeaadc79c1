import { check, checkTransfer } from './check.ts';
import { AF_UNIX } from './constants.ts';
import type { Libc } from './ffi.ts';
import { structure } from './structure.ts';

/** Sockets, and waiting for many descriptors at once: socket(2), unix(7), epoll(7). */
export const sockets = (libc: Libc) => ({
  socket: (family: number, type: number) => check(libc.socket(family, type, 0), 'socket', family),

  bindUnix(fd: number, path: string): void {
    const bytes = Buffer.from(path);
    const address = structure(110); // struct sockaddr_un {u16 family, char path[108]}
    address.writeUInt16LE(AF_UNIX, 0);
    bytes.copy(address, 2);
    check(libc.bind(fd, address, 2 + bytes.length + 1), 'bind', path);
  },

  listen: (fd: number, backlog: number) => check(libc.listen(fd, backlog), 'listen', fd),

  /** The next connection, or null when there is none. */
  accept: (fd: number, flags: number) => checkTransfer(() => libc.accept4(fd, null, null, flags), 'accept', fd),

  epollCreate: () => check(libc.epoll_create1(0o2000000), 'epoll_create', ''),

  /** @param operation EPOLL_CTL_* */
  epollControl(epoll: number, operation: number, fd: number, events: number): void {
    EVENT.writeUInt32LE(events, 0);
    EVENT.writeInt32LE(fd, 4);
    check(libc.epoll_ctl(epoll, operation, fd, EVENT), 'epoll_ctl', fd);
  },

  /** Waits until something happens; the descriptors it happened on and what it was. */
  epollWait(epoll: number): { fd: number; events: number }[] {
    const ready = checkTransfer(() => libc.epoll_wait(epoll, EVENTS, EVENT_COUNT, -1), 'epoll_wait', epoll) ?? 0;
    return Array.from({ length: ready }, (_, index) => ({
      fd: EVENTS.readInt32LE(index * EVENT_SIZE + 4),
      events: EVENTS.readUInt32LE(index * EVENT_SIZE),
    }));
  },

  /** Waits for one of `events` (POLL*) on one descriptor; false when `milliseconds` have passed first: poll(2). */
  poll(fd: number, events: number, milliseconds: number): boolean {
    POLLFD.writeInt32LE(fd, 0);
    POLLFD.writeInt16LE(events, 4);
    return checkTransfer(() => libc.poll(POLLFD, 1, milliseconds), 'poll', fd) !== 0;
  },
});

/** struct epoll_event {u32 events, u64 data}, packed on x86-64. */
const EVENT_SIZE = 12;
const EVENT_COUNT = 64;
const EVENT = structure(EVENT_SIZE);
const EVENTS = structure(EVENT_SIZE * EVENT_COUNT);
/** struct pollfd {int fd; short events, revents} */
const POLLFD = structure(8);
