import { createSocket, type Socket } from 'node:dgram';
import type { Clock } from '../clock.ts';
import { report } from '../errors.ts';
import { answerQuery } from './answer.ts';
import type { Directory } from './directory.ts';
import type { Switch } from './switch.ts';

/** Answers what containers of one network ask for names, over UDP. */
export interface Resolver {
  close(): void;
}

/** @param fd a bound UDP socket, which is closed in the end */
export function serveNames(
  fd: number,
  directory: Directory,
  { clock, kernel }: { clock: Clock; kernel: Pick<Switch, 'ignore'> },
): Resolver {
  const socket = createSocket('udp4');
  const resolver = answerOn(socket, directory, clock, (askers) => kernel.ignore(fd, askers));
  socket.bind({ fd });
  return resolver;
}

/**
 * Answers what comes to the socket: anything, as containers make datagrams of their own. None of it ends the agent.
 *
 * @param ignore has the kernel drop what these, and no others, send
 */
export function answerOn(
  socket: Socket,
  directory: Directory,
  clock: Clock,
  ignore: (askers: string[]) => void,
): Resolver {
  const share = openShare(clock, ignore);
  socket.on('message', (query, { address, port }) => {
    if (port === 0) return; // There is nobody to reply to: RFC 768.
    try {
      if (!share.isDue(address)) return;
      const reply = answerQuery(query, address, directory);
      // Who has asked may be gone.
      if (reply !== undefined) socket.send(reply, port, address, () => {});
    } catch (error) {
      report(`answer a query of ${address}`, error);
    }
  });
  socket.on('error', (error) => report('resolve names', error));
  return {
    close() {
      share.close();
      socket.close();
    },
  };
}

interface Share {
  /** Whether a query of this address is answered. */
  isDue(asker: string): boolean;
  close(): void;
}

/**
 * Who asks for more than its share is ignored for a second, so that the socket's queue has room for what others ask: as long as it
 * asks by its own address; with CAP_NET_RAW it can ask by those of others, and only the whole is bounded.
 */
function openShare(clock: Clock, ignore: (askers: string[]) => void): Share {
  let second = 0;
  let answered = 0;
  /** Queries by address: those that came while there was something left, so no more entries than the whole. */
  const asked = new Map<string, number>();
  const ignored = new Set<string>();
  let cancel = () => {};
  const hear = () => {
    ignored.clear();
    ignore([]);
  };
  return {
    isDue(asker) {
      const current = Math.floor(clock.now() / 1000);
      if (current !== second) {
        [second, answered] = [current, 0];
        asked.clear();
      }
      const before = asked.get(asker) ?? 0;
      if (before === QUERIES_PER_ASKER && !ignored.has(asker)) {
        if (ignored.size === 0) cancel = clock.after(1000, hear);
        ignored.add(asker);
        ignore([...ignored]);
      }
      if (answered === QUERIES_PER_SECOND || before === QUERIES_PER_ASKER) return false;
      asked.set(asker, before + 1);
      answered += 1;
      return true;
    },
    close: () => cancel(),
  };
}

const QUERIES_PER_SECOND = 1000;
const QUERIES_PER_ASKER = 200;
