import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';

export interface AgentClient {
  session: ClientHttp2Session;
  /** One JSON exchange. */
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  /** Resolves when the reply's headers came. */
  open(method: string, path: string): Promise<{ status: number; stream: ClientHttp2Stream }>;
  close(): void;
}

/** The host end of a trunk, as plain as can be. */
export function connectClient(path: string, createConnection: () => Duplex = () => connectSocket(path)): AgentClient {
  const session = connect('http://agent', { createConnection });
  session.on('error', () => {});
  const open = async (method: string, url: string, body?: unknown) => {
    const stream = session.request({ ':method': method, ':path': url }, { endStream: method === 'GET' });
    // Who reads the stream gets the error, too.
    stream.on('error', () => {});
    if (body !== undefined) stream.end(JSON.stringify(body));
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    return { status: Number(headers[':status']), stream };
  };
  return {
    session,
    open,
    async ask(method, url, body) {
      const { status, stream } = await open(method, url, body ?? (method === 'GET' ? undefined : ''));
      const text = (await readAll(stream)).toString('utf8');
      return { status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
    },
    close: () => session.destroy(),
  };
}

export async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What one stream's frames hold, as text. */
export function framed(bytes: Buffer, stream: 1 | 2): string {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32BE(at + 4);
    if (bytes[at] === stream) parts.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts).toString('utf8');
}
