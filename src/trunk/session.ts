import { randomBytes } from 'node:crypto';
import http2 from 'node:http2';
import net from 'node:net';
import { NestError } from '../errors.ts';
import type { LinkOptions } from './link.ts';

/** One HTTP/2 session, from connect to its end. */
export interface Session {
  /** True once the agent has answered, false when the session ended before. */
  ready: Promise<boolean>;
  ended: Promise<void>;
  /** False as soon as it has ended, before `ended` is heard of. */
  readonly alive: boolean;
  request(headers: http2.OutgoingHttpHeaders, options: http2.ClientSessionRequestOptions): http2.ClientHttp2Stream;
  /** Resolves with true when the agent has answered a ping, with false when the session ended before. */
  ping(): Promise<boolean>;
  /** Says that a reply is due until the returned function is called: meanwhile silence is looked into. */
  expectReply(): () => void;
}

/**
 * Being connected says nothing: QEMU accepts for a guest that has not booted. Frames say little: they may be the rest of
 * what the guest sent to an earlier session. The answer to this session's own ping tells that the agent is there.
 *
 * An agent that starts sends a GOAWAY frame first, so that a session of its predecessor ends here.
 */
export function openSession(
  socketPath: string,
  options: Pick<LinkOptions, 'handshakeMs' | 'quietMs' | 'refused'>,
  closing: AbortSignal,
): Session {
  const ready = Promise.withResolvers<boolean>();
  const ended = Promise.withResolvers<undefined>();
  const socket = net.connect(socketPath);
  socket.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNREFUSED') options.refused();
  });
  // Before HTTP/2 adds its own listener, which would end streams without an error.
  socket.once('close', () => end('it closed the connection'));
  const session = http2.connect('http://guest', { ...OPTIONS, createConnection: () => socket });

  const end = (why: string): void => {
    clearTimeout(handshake);
    closing.removeEventListener('abort', stop);
    session.destroy(new NestError('guest-lost', `talk to guest through \`${socketPath}\`: ${why}`));
    // HTTP/2 waits for what is still to be written; a guest that reads nothing would keep the socket, and the port, taken.
    socket.destroy();
  };
  const stop = (): void => end('its trunk is closed');
  const handshake = setTimeout(() => end('no answer'), options.handshakeMs);
  closing.addEventListener('abort', stop, { once: true });

  session.once('connect', () => session.setLocalWindowSize(SESSION_WINDOW));
  session.once('remoteSettings', () => {
    void ping(session).then((answered) => {
      if (!answered) return;
      clearTimeout(handshake);
      ready.resolve(true);
    });
  });
  session.once('goaway', () => end('it ended the session'));
  // Every way to an error passes through `close` too.
  session.on('error', (error: Error) => end(error.message));
  session.once('close', () => {
    end('the session ended');
    ready.resolve(false);
    ended.resolve(undefined);
  });
  return {
    ready: ready.promise,
    ended: ended.promise,
    get alive() {
      return !session.destroyed;
    },
    request: (headers, options) => session.request(headers, options),
    ping: () => ping(session),
    expectReply: lookIntoSilence(session, socket, options.quietMs, end),
  };
}

/** Frames may be the rest of an earlier session's: only the same random bytes are an answer. */
function ping(session: http2.ClientHttp2Session): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const proof = randomBytes(8);
  if (session.destroyed) resolve(false);
  else session.ping(proof, (error, _duration, payload) => resolve(error === null && payload.equals(proof)));
  return promise;
}

/** No timer runs while no reply is due: idle guests are left alone. */
function lookIntoSilence(
  session: http2.ClientHttp2Session,
  socket: net.Socket,
  quietMs: number,
  end: (why: string) => void,
): () => () => void {
  let due = 0;
  let timer: NodeJS.Timeout | undefined;
  const watch = (seen: number, pinged: boolean): void => {
    timer = setTimeout(() => {
      if (socket.bytesRead !== seen) watch(socket.bytesRead, false);
      else if (pinged) end(`silent for ${2 * quietMs} ms while a reply was due`);
      else if (!session.destroyed) {
        session.ping(() => undefined);
        watch(seen, true);
      }
    }, quietMs);
  };
  return () => {
    if (due++ === 0) watch(socket.bytesRead, false);
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      if (--due === 0) clearTimeout(timer);
    };
  };
}

/** What one stream and one session may have in flight, bytes: enough to keep the port busy, and the memory a guest can claim. */
const STREAM_WINDOW = 4 * 1024 * 1024;
const SESSION_WINDOW = 16 * 1024 * 1024;

const OPTIONS: http2.ClientSessionOptions = {
  maxHeaderListPairs: 32,
  maxReservedRemoteStreams: 0,
  maxSessionMemory: 64,
  settings: { enablePush: false, initialWindowSize: STREAM_WINDOW, maxHeaderListSize: 16 * 1024 },
};
