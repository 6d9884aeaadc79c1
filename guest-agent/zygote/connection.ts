import { EPOLLIN, EPOLLOUT } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { lineBuffer } from './lines.ts';
import type { Loop } from './loop.ts';
import { type FromZygote, LINE_LIMIT } from './protocol.ts';

export interface Connection {
  /** Never blocks. A peer that does not read is disconnected: it learns everything again when it comes back. */
  send(message: FromZygote): void;
  close(): void;
  /** In a copy of this process, which has no part in it: the connection goes on. */
  leave(): void;
}

/**
 * The zygote's end of a connection with the agent.
 *
 * @param fd a connected, non-blocking socket, which is closed in the end
 * @param receive takes each line; its error disconnects the peer
 */
export function openConnection(sys: Sys, loop: Loop, fd: number, receive: (line: string) => void): Connection {
  const takeLines = lineBuffer(LINE_LIMIT);
  const buffer = Buffer.alloc(64 * 1024);
  let unsent: Buffer = Buffer.alloc(0);
  /** For room in the socket: `unsent` is written when there is some. */
  let waiting = false;
  let open = true;

  const close = () => {
    if (!open) return;
    open = false;
    loop.unwatch(fd);
    sys.close(fd);
  };

  const read = () => {
    const count = sys.read(fd, buffer);
    if (count === 0) close();
    else if (count !== null) for (const line of takeLines(buffer.subarray(0, count))) if (open) receive(line);
  };

  const flush = () => {
    const wasWaiting = waiting;
    unsent = unsent.subarray(sys.write(fd, unsent) ?? 0);
    waiting = unsent.length > 0;
    if (waiting !== wasWaiting) loop.change(fd, waiting ? EPOLLIN | EPOLLOUT : EPOLLIN);
  };

  /** An error of the peer is its own: the zygote goes on without it. */
  const orClose = (action: () => void) => {
    try {
      if (open) action();
    } catch (error) {
      console.error('zygote: drop the agent:', error);
      close();
    }
  };

  loop.watch(fd, EPOLLIN, (events) => {
    if (events & EPOLLOUT) orClose(flush);
    if (events & ~EPOLLOUT) orClose(read);
  });
  return {
    send: (message) =>
      orClose(() => {
        unsent = Buffer.concat([unsent, Buffer.from(`${JSON.stringify(message)}\n`)]);
        if (unsent.length > UNSENT_LIMIT) throw new Error('it does not read');
        if (!waiting) flush();
      }),
    close,
    leave: () => open && sys.close(fd),
  };
}

/** Bytes that may wait for a peer: thousands of messages. */
const UNSENT_LIMIT = 4 * 1024 * 1024;
