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

/**
 * Answers what comes to the socket: anything, as containers make datagrams of their own. None of it ends the agent.
 *
 * @param now milliseconds
 */
export function answerOn(socket: Socket, directory: Directory, now = () => performance.now()): void {
  const isDue = share(now);
  socket.on('message', (query, { address, port }) => {
    if (port === 0) return; // There is nobody to reply to: RFC 768.
    if (!isDue(address)) return;
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

/**
 * Whether a query of this address is answered. What a container asks beyond its share is dropped and takes nothing from the
 * others, as long as it asks by its own address; with CAP_NET_RAW it can ask by those of others, and only the whole is bounded.
 */
function share(now: () => number): (asker: string) => boolean {
  let second = 0;
  let answered = 0;
  /** Queries by address: those that came while there was something left, so no more entries than the whole. */
  const asked = new Map<string, number>();
  return (asker) => {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      [second, answered] = [current, 0];
      asked.clear();
    }
    const before = asked.get(asker) ?? 0;
    if (answered === QUERIES_PER_SECOND || before === QUERIES_PER_ASKER) return false;
    asked.set(asker, before + 1);
    answered += 1;
    return true;
  };
}

const QUERIES_PER_SECOND = 1000;
const QUERIES_PER_ASKER = 200;
