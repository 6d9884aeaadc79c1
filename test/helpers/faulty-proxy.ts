import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';

/** What the proxy does with one request; undefined passes it on as it is. */
export type Fault =
  | { status: number; headers?: Record<string, string>; body?: string }
  /** Sends this many bytes of the reply, then cuts the connection. */
  | { cutAfter: number }
  /** Changes one byte of the reply. */
  | { corrupt: true }
  /** Sends only this many bytes and claims that they are all. */
  | { truncate: number };

export interface FaultyProxy {
  address: string;
  /** Requests that came, as `GET /v2/…`. */
  seen: string[];
}

/** Stands before a registry and spoils what `fault` says. */
export async function startFaultyProxy(
  t: ExecutionContext,
  registry: string,
  fault: (line: string, incoming: IncomingMessage) => Fault | undefined,
): Promise<FaultyProxy> {
  const seen: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const line = `${incoming.method ?? ''} ${incoming.url ?? ''}`;
    seen.push(line);
    const found = fault(line, incoming);
    if (found && 'status' in found) {
      outgoing.writeHead(found.status, found.headers).end(found.body ?? '');
      return;
    }
    const passed = request(
      `http://${registry}${incoming.url ?? ''}`,
      { method: incoming.method, headers: incoming.headers },
      (reply) => void answer(reply, outgoing, found),
    );
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

async function answer(
  reply: IncomingMessage,
  outgoing: ServerResponse,
  fault: Exclude<Fault, { status: number }> | undefined,
): Promise<void> {
  if (!fault) {
    outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(outgoing);
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of reply as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if ('corrupt' in fault) body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 0xff;
  const sent = 'truncate' in fault ? body.subarray(0, fault.truncate) : body;
  outgoing.writeHead(reply.statusCode ?? 502, { ...reply.headers, 'content-length': String(sent.length) });
  if ('cutAfter' in fault) outgoing.write(sent.subarray(0, fault.cutAfter), () => outgoing.destroy());
  else outgoing.end(sent);
}
