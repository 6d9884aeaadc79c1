import { once } from 'node:events';
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
  let next = NOTHING;
  for (;;) {
    const socket = await port.accept(next);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', (error) => report('use the trunk', error));
    socket.on('end', () => socket.destroy());
    socket.on('finish', () => socket.destroy());
    next = NOTHING;
    if (unknown || !(await beginsSession(socket))) next = await refuseSession(socket);
    else serveSession(server, socket);
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

/** Whether the first bytes are those of an HTTP/2 client. They stay in the socket. */
async function beginsSession(socket: Socket): Promise<boolean> {
  let held = NOTHING;
  while (held.length < PREFACE.length && PREFACE.startsWith(held.toString('latin1'))) {
    const chunk = await readChunk(socket);
    if (chunk === null) return false;
    held = Buffer.concat([held, chunk]);
  }
  socket.unshift(held);
  return held.toString('latin1', 0, PREFACE.length) === PREFACE;
}

/**
 * Ends the host's session and drops what it still sends; returns what the next connection began with, if that followed
 * without a gap. GOAWAY (RFC 9113, 6.8) is repeated: the earlier agent may have died within a frame of up to 16 KiB, whose
 * rest would take in what comes first. What was not sent by then is dropped: it is not for the next connection.
 */
async function refuseSession(socket: Socket): Promise<Buffer> {
  if (!socket.destroyed) socket.write(Buffer.concat(Array<Buffer>(REPEATED).fill(GOAWAY)));
  let held = NOTHING;
  for (;;) {
    const chunk = await readChunk(socket);
    if (chunk === null) return NOTHING;
    held = Buffer.concat([held.subarray(-PREFACE.length), chunk]);
    const start = held.indexOf(PREFACE);
    if (start === -1) continue;
    socket.destroy();
    return held.subarray(start);
  }
}

/** The next bytes; null when the host has closed its end. */
async function readChunk(socket: Socket): Promise<Buffer | null> {
  const closed = once(socket, 'close').catch(() => {});
  while (!socket.destroyed) {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) return chunk;
    await Promise.race([once(socket, 'readable').catch(() => {}), closed]);
  }
  return null;
}

const NOTHING = Buffer.alloc(0);

/** Length 8, type 7, no flags, stream 0; last stream 0, INTERNAL_ERROR. */
const GOAWAY = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
const REPEATED = 1000;

/** How every HTTP/2 client begins: RFC 9113, 3.4. */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
