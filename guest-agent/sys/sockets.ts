import { check, checkTransfer } from './check.ts';
import { AF_INET, AF_UNIX, SOCK_STREAM } from './constants.ts';
import { addressOf, type Libc } from './ffi.ts';
import { structure } from './structure.ts';
import { SystemError } from './system-error.ts';

/** Sockets, and waiting for many descriptors at once: socket(2), unix(7), epoll(7). */
export const sockets = (libc: Libc) => ({
  socket: (family: number, type: number) => check(libc.socket(family, type, 0), 'socket', family),

  bindUnix(fd: number, path: string): void {
    const { address, length } = unixAddress(path);
    check(libc.bind(fd, address, length), 'bind', path);
  },

  /** @param address IPv4, four bytes */
  bindInet(fd: number, address: Buffer, port: number): void {
    address.copy(INET_ADDRESS, 4);
    INET_ADDRESS.writeUInt16BE(port, 2);
    check(libc.bind(fd, INET_ADDRESS, INET_ADDRESS.length), 'bind', `${address.join('.')}:${port}`);
  },

  /** Only what comes in through that interface reaches the socket, and what it sends goes out there: socket(7). */
  bindToDevice(fd: number, name: string): void {
    const text = Buffer.from(`${name}\0`);
    check(libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, text, text.length), 'bind to interface', name);
  },

  /** Two connected sockets. */
  socketPair(flags: number): [number, number] {
    check(libc.socketpair(AF_UNIX, SOCK_STREAM | flags, 0, PAIR), 'socketpair', '');
    return [PAIR.readInt32LE(0), PAIR.readInt32LE(4)];
  },

  connectUnix(fd: number, path: string): void {
    const { address, length } = unixAddress(path);
    check(libc.connect(fd, address, length), 'connect', path);
  },

  /** Sends a descriptor with one byte: unix(7), SCM_RIGHTS. */
  sendDescriptor(fd: number, descriptor: number): void {
    RIGHTS.writeInt32LE(descriptor, 16);
    BYTE[0] = 0;
    checkTransfer(() => libc.sendmsg(fd, MESSAGE, 0), 'sendmsg', fd);
  },

  /** The descriptor that comes next, close-on-exec; null when none has come and `fd` does not block, or none will come. */
  receiveDescriptor(fd: number): number | null {
    RIGHTS.writeInt32LE(-1, 16);
    MESSAGE.writeBigUInt64LE(BigInt(RIGHTS.length), 40);
    const count = checkTransfer(() => libc.recvmsg(fd, MESSAGE, MSG_CMSG_CLOEXEC), 'recvmsg', fd);
    MESSAGE.writeBigUInt64LE(BigInt(RIGHTS.length), 40);
    const descriptor = RIGHTS.readInt32LE(16);
    return count === null || count === 0 || descriptor < 0 ? null : descriptor;
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

function unixAddress(path: string): { address: Buffer; length: number } {
  const bytes = Buffer.from(path);
  if (bytes.length > 107) throw new SystemError('socket', path, ENAMETOOLONG);
  const address = structure(110); // struct sockaddr_un {u16 family, char path[108]}
  address.writeUInt16LE(AF_UNIX, 0);
  bytes.copy(address, 2);
  return { address, length: 2 + bytes.length + 1 };
}

const ENAMETOOLONG = 36;
/** struct sockaddr_in {u16 family; be16 port; be32 address; u8 zero[8]} */
const INET_ADDRESS = structure(16);
INET_ADDRESS.writeUInt16LE(AF_INET, 0);
// include/uapi/asm-generic/socket.h
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const PAIR = structure(8);

/** struct cmsghdr {size_t cmsg_len; int cmsg_level, cmsg_type}, one descriptor and padding: cmsg(3) */
const RIGHTS = structure(24);
RIGHTS.writeBigUInt64LE(20n, 0);
RIGHTS.writeInt32LE(SOL_SOCKET, 8);
RIGHTS.writeInt32LE(1, 12); // SCM_RIGHTS
const BYTE = structure(1);
/** struct iovec {void *base; size_t len} */
const VECTOR = structure(16);
VECTOR.writeBigUInt64LE(addressOf(BYTE), 0);
VECTOR.writeBigUInt64LE(1n, 8);
/** struct msghdr {name, namelen, iov, iovlen, control, controllen, flags}: recvmsg(2) */
const MESSAGE = structure(56);
MESSAGE.writeBigUInt64LE(addressOf(VECTOR), 16);
MESSAGE.writeBigUInt64LE(1n, 24);
MESSAGE.writeBigUInt64LE(addressOf(RIGHTS), 32);
MESSAGE.writeBigUInt64LE(BigInt(RIGHTS.length), 40);
const MSG_CMSG_CLOEXEC = 0x40000000;

/** struct epoll_event {u32 events, u64 data}, packed on x86-64. */
const EVENT_SIZE = 12;
const EVENT_COUNT = 64;
const EVENT = structure(EVENT_SIZE);
const EVENTS = structure(EVENT_SIZE * EVENT_COUNT);
/** struct pollfd {int fd; short events, revents} */
const POLLFD = structure(8);
