import type { Http2Server } from 'node:http2';
import type { Socket } from 'node:net';
import { report } from '../errors.ts';
import type { Port } from './port.ts';

/**
 * Gives each host connection to the server, one after another.
 *
 * A byte stream that does not begin as an HTTP/2 connection belongs to a session that this agent does not know: the host
 * began it with an earlier agent and has not noticed the change. It is told to give it up.
 *
 * @param restarted an earlier agent ran since the guest booted
 */
export async function serveTrunk(server: Http2Server, port: Port, restarted: boolean): Promise<never> {
  let unknown = restarted;
  let next: Buffer = NOTHING;
  for (;;) {
    const socket = await port.accept(next);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', (error) => report('use the trunk', error));
    socket.on('end', () => socket.destroy());
    socket.on('finish', () => socket.destroy());
    next = NOTHING;
    if (!unknown && (await beginsSession(socket))) serveSession(server, socket);
    else next = await refuseSession(socket, unknown ? 0 : GRACE);
    unknown = false;
    await closed;
  }
}

/**
 * The host's goodbye is the end at once. A session that waited for more would take in the next connection's first bytes, and
 * what it still had to say would be written to the next connection: the port cannot tell them apart.
 */
function serveSession(server: Http2Server, socket: Socket): void {
  server.once('session', (session) => session.once('goaway', () => socket.destroy()));
  server.emit('connection', socket);
}

/** Whether an HTTP/2 client begins here; what an earlier connection left before it is dropped. */
async function beginsSession(socket: Socket): Promise<boolean> {
  let held: Buffer = NOTHING;
  for (;;) {
    const chunk = await readChunk(socket);
    if (chunk === null) return false;
    held = Buffer.concat([held, chunk]);
    const start = held.lastIndexOf(PREFACE);
    if (start === -1 && PREFACE.startsWith(held.toString('latin1'))) continue;
    socket.unshift(start === -1 ? held : held.subarray(start));
    return start !== -1;
  }
}

/**
 * Drops what an unknown session sends, and ends it after `delay` milliseconds; returns what the next connection begins
 * with, if that follows without a gap, or nothing when the host has closed its end.
 *
 * GOAWAY (RFC 9113, 6.8) is repeated: the earlier agent may have died within a frame of up to 16 KiB, whose rest would take
 * in what comes first. It is too late for it once the next connection has begun: that one would get it.
 */
async function refuseSession(socket: Socket, delay: number): Promise<Buffer> {
  const timer = setTimeout(() => socket.write(Buffer.concat(Array<Buffer>(REPEATED).fill(GOAWAY))), delay);
  try {
    for (let held: Buffer = NOTHING; ;) {
      const chunk = await readChunk(socket);
      if (chunk === null) return NOTHING;
      held = Buffer.concat([held.subarray(-PREFACE.length), chunk]);
      const start = held.lastIndexOf(PREFACE);
      if (start === -1) continue;
      socket.destroy();
      return held.subarray(start);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** The next bytes; null when the host has closed its end. */
async function readChunk(socket: Socket): Promise<Buffer | null> {
  while (!socket.destroyed) {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) return chunk;
    await new Promise<void>((resolve) => {
      const look = () => {
        socket.off('readable', look).off('close', look);
        resolve();
      };
      socket.on('readable', look).on('close', look);
    });
  }
  return null;
}

const NOTHING = Buffer.alloc(0);

/** Length 8, type 7, no flags, stream 0; last stream 0, INTERNAL_ERROR. */
const GOAWAY = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
const REPEATED = 1000;

/** Milliseconds in which a host that has just closed its session comes back, or its end is noticed. */
const GRACE = 1000;

/** How every HTTP/2 client begins: RFC 9113, 3.4. */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
