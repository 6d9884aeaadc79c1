import { constants, openSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { F_SETFL, O_CLOEXEC, O_NONBLOCK, O_RDWR, S_IFIFO } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';

/** The guest end of a virtio-serial port. */
export interface Port {
  /**
   * Waits until the host has its end open; the bytes that come and go then. It ends when the host closes its end.
   *
   * @param begun what was read of the connection before
   */
  accept(begun: Buffer): Promise<Socket>;
}

/**
 * drivers/char/virtio_console.c: while the host's end is closed a read returns 0 and a write would block; SIGIO tells of
 * both changes, and of data, so it is asked for only while there is nobody at the other end.
 *
 * @param spare name of a file that may be made for a moment
 */
export function openPort(sys: Sys, device: string, spare: string): Port {
  const port = sys.open(device, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
  let woken = () => {};
  process.on('SIGIO', () => woken());

  return {
    async accept(begun) {
      for (let held = begun; ;) {
        const signal = new Promise<void>((resolve) => (woken = resolve));
        sys.fcntl(port, F_SETOWN, process.pid);
        sys.fcntl(port, F_SETFL, O_NONBLOCK | O_ASYNC);
        const { bytes, open } = readWaiting(sys, port);
        held = Buffer.concat([held, bytes]).subarray(-HELD_LIMIT);
        if (open) {
          sys.fcntl(port, F_SETFL, O_NONBLOCK);
          return wrap(sys, port, spare, held);
        }
        await signal;
      }
    },
  };
}

/**
 * What can be read now, and whether the host's end is open. A new connection's first bytes may come before the word that it
 * is open: they take different queues.
 */
function readWaiting(sys: Sys, port: number): { bytes: Buffer; open: boolean } {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.alloc(CHUNK);
    const length = sys.read(port, chunk);
    if (length === null || length === 0) return { bytes: Buffer.concat(chunks), open: length === null };
    chunks.push(chunk.subarray(0, length));
    if (chunks.length === CHUNKS_LIMIT) return { bytes: Buffer.concat(chunks), open: true };
  }
}

/**
 * A socket of Node over a copy of the descriptor. Node takes FIFOs, but no character devices, although its event loop
 * treats both alike: so it is given a FIFO, in whose place the port is put before the event loop has seen it. HTTP/2 then
 * reads and writes the port in native code, without a detour through streams or threads.
 */
function wrap(sys: Sys, port: number, spare: string, begun: Buffer): Socket {
  sys.mknod(spare, S_IFIFO | 0o600, 0);
  const fd = openSync(spare, constants.O_RDWR | constants.O_NONBLOCK);
  unlinkSync(spare);
  const socket = new Socket({ fd });
  sys.dup3(port, fd, O_CLOEXEC);
  if (begun.length > 0) socket.unshift(begun);
  return socket;
}

/** The kernel hands out at most one page for each read. */
const CHUNK = 4096;
const CHUNKS_LIMIT = 256;
/** Bytes of earlier connections and the beginning of the next. */
const HELD_LIMIT = 1024 * 1024;

/** fcntl(2), include/uapi/asm-generic/fcntl.h */
const F_SETOWN = 8;
const O_ASYNC = 0o20000;
