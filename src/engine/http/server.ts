import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { GenericSchema } from 'valibot';
import { NestError } from '../../errors.ts';
import { parseBody, readBody, takeBytes } from './body.ts';
import { errorReply, sendReply } from './reply.ts';
import type { Call } from './route.ts';
import type { Router } from './router.ts';
import { hijack, refuse } from './upgrade.ts';
import type { Work } from './work.ts';

export interface ApiServer {
  /**
   * Listens where only this user may connect: the socket never has wider rights than 0600, and one that a crashed engine
   * left is replaced. Call it with the state's lock held.
   */
  listen(socketPath: string): Promise<void>;
  /** Stops listening and ends every connection, the upgraded ones too. */
  close(): Promise<void>;
}

export function createApiServer(route: Router, work: Work, log: (message: string) => void): ApiServer {
  const server = createServer({
    // An image upload may take its time.
    requestTimeout: 0,
    shouldUpgradeCallback: (request) => takesUpgrade(route, request),
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => {
    void work.track(answer(route, request, response, log));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    void work.track(answerUpgrade(route, request, socket, head));
  });
  return {
    async listen(socketPath) {
      await rm(socketPath, { force: true });
      const listening = Promise.withResolvers<undefined>();
      server.once('error', listening.reject);
      // Binding a unix socket is synchronous, so nothing else is made under this mask.
      const umask = process.umask(0o177);
      server.listen(socketPath, () => listening.resolve(undefined));
      process.umask(umask);
      await listening.promise;
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      return closed;
    },
  };
}

async function answer(
  route: Router,
  request: IncomingMessage,
  response: ServerResponse,
  log: (message: string) => void,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  try {
    const match = route(request.method ?? '', request.url ?? '');
    const json = async <S extends GenericSchema>(schema: S) => parseBody(await readBody(request), schema);
    const call: Call = { ...match, signal: gone.signal, json, body: request };
    const reply = await match.route.handle(call);
    await sendReply(response, reply);
    if ('undelivered' in reply) await finished(response).catch(reply.undelivered);
  } catch (error) {
    fail(request, response, error, log);
  }
}

function fail(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  log: (message: string) => void,
): void {
  if (!(error instanceof NestError) && !response.destroyed)
    log(
      `${request.method ?? ''} ${request.url ?? ''}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`,
    );
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // What is left of a refused upload is not read to its end.
  if (!request.complete) response.setHeader('Connection', 'close');
  void sendReply(response, errorReply(error));
}

/**
 * Node's parser leaves the connection at the end of the headers: the body is read here, by its Content-Length. docker and
 * dockerode send one with exec and attach.
 */
async function answerUpgrade(route: Router, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  socket.on('error', () => gone.abort());
  try {
    if (head.length > 0) socket.unshift(head);
    const match = route(request.method ?? '', request.url ?? '');
    const bytes = await takeBytes(socket, Number(request.headers['content-length'] ?? 0));
    const json = <S extends GenericSchema>(schema: S) => Promise.resolve(parseBody(bytes, schema));
    const reply = await match.route.handle({ ...match, signal: gone.signal, json, body: request });
    if (!('attached' in reply)) throw new NestError('internal', 'upgrade the connection: the request has no stream');
    hijack(socket, reply.attached, reply.stdin);
  } catch (error) {
    refuse(socket, error);
  }
}

function takesUpgrade(route: Router, request: IncomingMessage): boolean {
  try {
    return route(request.method ?? '', request.url ?? '').route.hijacks === true;
  } catch {
    // It is answered as an ordinary request, which says what is wrong.
    return false;
  }
}
