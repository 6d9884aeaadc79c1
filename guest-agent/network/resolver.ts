import { createSocket, type Socket } from 'node:dgram';
import { report } from '../errors.ts';
import { answerQuery } from './answer.ts';
import type { Directory } from './directory.ts';

/** Answers what containers of one network ask for names, over UDP. */
export interface Resolver {
  close(): void;
}

/** @param fd a bound UDP socket, which is closed in the end */
export function serveNames(fd: number, directory: Directory): Resolver {
  const socket = createSocket('udp4');
  answerOn(socket, directory);
  socket.bind({ fd });
  return { close: () => socket.close() };
}

/** Answers what comes to the socket: anything, as containers make datagrams of their own. None of it ends the agent. */
export function answerOn(socket: Socket, directory: Directory): void {
  let second = 0;
  let answered = 0;
  socket.on('message', (query, { address, port }) => {
    if (port === 0) return; // There is nobody to reply to: RFC 768.
    // A container that asks without end takes no more of the agent's time than this.
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) [second, answered] = [now, 0];
    answered += 1;
    if (answered > QUERIES_PER_SECOND) return;
    try {
      const reply = answerQuery(query, address, directory);
      // Who has asked may be gone.
      if (reply !== undefined) socket.send(reply, port, address, () => {});
    } catch (error) {
      report(`answer a query of ${address}`, error);
    }
  });
  socket.on('error', (error) => report('resolve names', error));
}

const QUERIES_PER_SECOND = 1000;
