import { constants, type ServerHttp2Stream } from 'node:http2';
import { once } from 'node:events';

/** Sends the headers of a reply that goes on for a while, at once. */
export function respondStream(stream: ServerHttp2Stream, type = 'application/octet-stream'): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond({ ':status': 200, 'content-type': type });
}

/** Sends what `source` gives, as fast as it is taken; a client that leaves ends it. */
export async function sendAll(stream: ServerHttp2Stream, source: AsyncIterable<Buffer>): Promise<void> {
  respondStream(stream);
  const closed = new AbortController();
  stream.once('close', () => closed.abort());
  try {
    for await (const chunk of source) {
      if (stream.destroyed) return;
      if (!stream.write(chunk)) await once(stream, 'drain', { signal: closed.signal });
    }
    stream.end();
  } catch (error) {
    if (!stream.destroyed) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    if (!hasLeft(error)) throw error;
  }
}

/** The client closed the stream or lost the connection: nothing is wrong here. */
export function hasLeft(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code.startsWith('ERR_HTTP2_') || code === 'ABORT_ERR';
}
