import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { nestPaths, type Paths } from '../../src/paths.ts';

/** A request that the fake got, in the order of arrival. */
export interface Seen {
  /** `POST /containers/create` */
  route: string;
  query: URLSearchParams;
  body: unknown;
}

export type Handler = (reply: ServerResponse, seen: Seen) => void | Promise<void>;
/** Gets the upgraded connection of attach and exec. */
export type Stream = (socket: Socket, seen: Seen) => void | Promise<void>;

export interface FakeEngine extends AsyncDisposable {
  paths: Paths;
  seen: Seen[];
  env: Record<string, string>;
}

/**
 * An engine that answers with what a test says, on a socket of its own. Keys are routes such as `GET /nest/guests`; a
 * `*` stands for one part of the path.
 */
export async function fakeEngine(
  routes: Record<string, Handler>,
  streams: Record<string, Stream> = {},
): Promise<FakeEngine> {
  const folder = await mkdtemp(path.join(tmpdir(), 'nest-fake-'));
  const env = { NEST_DATA_DIR: path.join(folder, 'data'), NEST_RUNTIME_DIR: folder };
  const paths = nestPaths(env);
  const seen: Seen[] = [];
  const server = createServer((request, reply) => void answer(request, reply));

  async function answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const entry = await read(request);
    if (entry.route === 'GET /_ping') return void reply.end('OK');
    seen.push(entry);
    const handler = find(routes, entry.route);
    if (handler) await handler(reply, entry);
    else sendError(reply, 404, { message: `no route ${entry.route}`, code: 'not-found' });
  }

  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const entry = { ...parseUrl(request), body: parse(head) };
    seen.push(entry);
    socket.on('error', () => undefined);
    const stream = find(streams, entry.route);
    if (!stream) return void socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    void stream(socket, entry);
  });
  server.listen(paths.engineSocket);
  await once(server, 'listening');

  return {
    paths,
    seen,
    env,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true });
    },
  };
}

export const json =
  (value: unknown, status = 200): Handler =>
  (reply) => {
    reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };

export const empty: Handler = (reply) => void reply.writeHead(204).end();

export const failure =
  (status: number, body: { message: string; code?: string; hint?: string }): Handler =>
  (reply) =>
    sendError(reply, status, body);

/** An NDJSON stream of these events. */
export const events =
  (...list: unknown[]): Handler =>
  (reply) => {
    reply.writeHead(200, { 'content-type': 'application/x-ndjson' });
    reply.end(list.map((event) => `${JSON.stringify(event)}\n`).join(''));
  };

/** Docker's frame: 1 is stdout, 2 stderr. */
export function frame(stream: 1 | 2, text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

function sendError(reply: ServerResponse, status: number, body: object): void {
  reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function read(request: IncomingMessage): Promise<Seen> {
  return { ...parseUrl(request), body: parse(await buffer(request)) };
}

function parseUrl({ method, url = '' }: IncomingMessage): { route: string; query: URLSearchParams } {
  const { pathname, searchParams } = new URL(url, 'http://engine');
  return { route: `${method ?? ''} ${decodeURIComponent(pathname)}`, query: searchParams };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return body.toString();
  }
}

function find<T>(routes: Record<string, T>, route: string): T | undefined {
  const parts = route.split('/');
  return Object.entries(routes).find(([pattern]) => {
    const wanted = pattern.split('/');
    return wanted.length === parts.length && wanted.every((part, index) => part === '*' || part === parts[index]);
  })?.[1];
}
