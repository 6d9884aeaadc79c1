import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { report } from '../errors.ts';

/**
 * The writing end of a process's stdin. Ending it, once all is written, is the end of file that the process reads.
 *
 * Opened for both directions: the process, which opens its end later, does not wait for a writer.
 */
export function openInput(path: string): Writable {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: false, writable: true });
  socket.on('error', (error) => report(`write \`${path}\``, error));
  return socket;
}
