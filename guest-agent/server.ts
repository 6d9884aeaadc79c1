import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { ErrorReply } from './api.ts';
import { conflict, errnoOf, notFound, report, RequestError } from './errors.ts';
import { containerRoutes } from './routes/containers.ts';
import { eventRoutes } from './routes/events.ts';
import { execRoutes } from './routes/exec.ts';
import { fileRoutes } from './routes/files.ts';
import { guestRoutes } from './routes/guest.ts';
import { hasLeft } from './routes/output.ts';
import { type Reply, router } from './routes/router.ts';
import { streamRoutes } from './routes/streams.ts';
import { identityRoutes } from './routes/identity.ts';
import type { Runtime } from './runtime.ts';

/** The API of api.ts, for whatever connections it is given. */
export function createApiServer(runtime: Runtime): Http2Server {
  const find = router({
    ...identityRoutes,
    ...guestRoutes,
    ...containerRoutes,
    ...fileRoutes,
    ...streamRoutes,
    ...execRoutes,
    ...eventRoutes,
  });
  const server = createServer({
    settings: { initialWindowSize: STREAM_WINDOW, maxConcurrentStreams: STREAMS },
    maxSessionMemory: SESSION_MEGABYTES,
  });

  const answer = async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> => {
    const url = URL.parse(headers[':path'] ?? '', 'http://agent');
    const method = headers[':method'] ?? '';
    const route = url === null ? undefined : find(method, url.pathname);
    if (url === null || route === undefined)
      throw notFound(`${method} \`${headers[':path']}\`: there is no such route`);
    if (!runtime.self.known && !(`${method} ${url.pathname}` in identityRoutes))
      throw conflict(`${method} \`${url.pathname}\`: this guest has no identity yet`);
    const left = new AbortController();
    stream.once('close', () => left.abort());
    const call = { runtime, stream, params: route.params, query: url.searchParams, left: left.signal };
    const reply = await route.handler(call);
    if (reply !== undefined) send(stream, reply);
  };

  server.on('session', (session) => session.setLocalWindowSize(SESSION_WINDOW));
  server.on('stream', (stream, headers) => {
    // Whatever went wrong with the connection shows as the stream's end.
    stream.on('error', () => {});
    answer(stream, headers).catch((error: unknown) => fail(stream, error));
  });
  return server;
}

function send(stream: ServerHttp2Stream, { status, body }: Reply): void {
  if (stream.destroyed || stream.closed) return;
  // What the client still sends is of no interest, and would keep the stream open.
  stream.resume();
  stream.respond({ ':status': status, 'content-type': 'application/json' }, { endStream: body === undefined });
  if (body !== undefined) stream.end(JSON.stringify(body));
}

function fail(stream: ServerHttp2Stream, error: unknown): void {
  if (hasLeft(error)) return;
  if (!(error instanceof RequestError)) report('answer a request', error);
  if (stream.headersSent) {
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return;
  }
  const message = (error instanceof Error ? error.message : String(error)).slice(0, MESSAGE_LIMIT);
  const errno = errnoOf(error);
  const body: ErrorReply = { message, ...(errno !== undefined && { errno }) };
  send(stream, { status: error instanceof RequestError ? error.status : 500, body });
}

/** Bytes on the way to the agent before it has read them; the default of 64 KiB leaves most of the trunk unused. */
const STREAM_WINDOW = 1024 * 1024;
const SESSION_WINDOW = 8 * 1024 * 1024;

/** Each attached, followed or waited-for container holds one. */
const STREAMS = 4096;
const SESSION_MEGABYTES = 64;

/** Of ErrorReply. */
const MESSAGE_LIMIT = 4096;
