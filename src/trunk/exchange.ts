import type http2 from 'node:http2';
import { NestError } from '../errors.ts';
import type { Link } from './link.ts';
import { replyError } from './reply.ts';
import type { Session } from './session.ts';
import type { TrunkRequest } from './trunk.ts';

/**
 * Sends the request and resolves with its stream when the headers of a good reply came; a bad one is thrown. When the
 * agent went away before it answered, an idempotent request (RFC 9110, 9.2.2) is sent again to the next session.
 *
 * @param body `whole`: the request's JSON or nothing. `duplex`: the same as one line, and the caller goes on writing.
 */
export async function exchange(
  link: Link,
  request: TrunkRequest,
  body: 'whole' | 'duplex',
): Promise<http2.ClientHttp2Stream> {
  for (let attempt = 1; ; attempt++) {
    const session = await link.session(request.signal);
    try {
      return await exchangeOnce(session, request, body);
    } catch (error) {
      const again = !session.alive && request.method !== 'POST' && attempt < ATTEMPTS;
      if (!again) throw asTrunkError(error, request);
    }
  }
}

async function exchangeOnce(
  session: Session,
  request: TrunkRequest,
  body: 'whole' | 'duplex',
): Promise<http2.ClientHttp2Stream> {
  const json = request.body === undefined ? undefined : JSON.stringify(request.body);
  const answered = session.expectReply();
  try {
    const stream = session.request(
      {
        ':method': request.method,
        ':path': request.path,
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      {
        endStream: body === 'whole' && json === undefined,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      },
    );
    if (json !== undefined && body === 'whole') stream.end(json);
    else if (json !== undefined) stream.write(`${json}\n`);
    const status = await replyStatus(stream);
    if (status >= 200 && status < 300) return stream;
    throw await replyError(stream, status, request);
  } finally {
    answered();
  }
}

function replyStatus(stream: http2.ClientHttp2Stream): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  stream.once('response', (headers) => resolve(headers[':status'] ?? 0));
  stream.once('error', reject);
  stream.once('close', () => reject(new Error('the stream ended without a reply')));
  return promise;
}

function asTrunkError(error: unknown, request: TrunkRequest): NestError {
  if (error instanceof NestError) return error;
  if (request.signal?.aborted) return new NestError('cancelled', 'cancelled', { cause: error });
  const why = error instanceof Error ? error.message : String(error);
  return new NestError('guest-lost', `${request.method} \`${request.path}\`: ${why}`, { cause: error });
}

/** In all, for one request. */
const ATTEMPTS = 3;
