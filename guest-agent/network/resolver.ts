import { createSocket } from 'node:dgram';
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
  let second = 0;
  let answered = 0;
  socket.on('message', (query, { address, port }) => {
    // A container that asks without end takes no more of the agent's time than this.
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) [second, answered] = [now, 0];
    answered += 1;
    if (answered > QUERIES_PER_SECOND) return;
    const reply = answerQuery(query, address, directory);
    // Who has asked may be gone.
    if (reply !== undefined) socket.send(reply, port, address, () => {});
  });
  socket.on('error', (error) => report('resolve names', error));
  socket.bind({ fd });
  return { close: () => socket.close() };
}

const QUERIES_PER_SECOND = 1000;
