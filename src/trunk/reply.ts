import { constants, type ClientHttp2Stream } from 'node:http2';
import * as v from 'valibot';
import { ErrorReply } from '../../guest-agent/api.ts';
import { NestError, type ErrorCode } from '../errors.ts';
import type { TrunkRequest } from './trunk.ts';

export async function readJson(stream: ClientHttp2Stream, request: TrunkRequest): Promise<unknown> {
  const bytes = await readBounded(stream, request, JSON_LIMIT);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new NestError('guest-lost', `${request.method} \`${request.path}\`: the agent's reply is not JSON`, {
      cause: error,
    });
  }
}

/** Reads to the end of a reply that should be empty or does not matter. */
export async function readNothing(stream: ClientHttp2Stream, request: TrunkRequest): Promise<void> {
  await readBounded(stream, request, JSON_LIMIT);
}

/** The NestError for a bad status. A status without a well-formed body still counts. */
export async function replyError(stream: ClientHttp2Stream, status: number, request: TrunkRequest): Promise<NestError> {
  const bytes = await readBounded(stream, request, ERROR_LIMIT);
  // The writing side of a duplex request has nobody to write to.
  stream.close(constants.NGHTTP2_NO_ERROR);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), ErrorReply), bytes.toString('utf8'));
  const errno = parsed.success ? parsed.output.errno : undefined;
  const message = parsed.success ? printable(parsed.output.message) : `the agent replied with status ${status}`;
  return new NestError(errorCode(status, errno), message, {
    cause: new Error(
      `${request.method} ${request.path}: ${status}${errno === undefined ? '' : ` ${printable(errno)}`}`,
    ),
  });
}

function errorCode(status: number, errno: string | undefined): ErrorCode {
  switch (status) {
    case 400:
      return errno === undefined ? 'invalid-input' : 'exec-failed';
    case 404:
      return 'not-found';
    case 409:
    case 502:
      return 'conflict';
    default:
      return 'internal';
  }
}

async function readBounded(stream: ClientHttp2Stream, request: TrunkRequest, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) throw new Error(`the agent's reply is longer than ${limit} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    stream.close(constants.NGHTTP2_CANCEL);
    if (error instanceof NestError) throw error;
    if (request.signal?.aborted) throw new NestError('cancelled', 'cancelled', { cause: error });
    const why = error instanceof Error ? error.message : String(error);
    throw new NestError('guest-lost', `${request.method} \`${request.path}\`: ${why}`, { cause: error });
  }
  return Buffer.concat(chunks);
}

/** One line without terminal control characters: a guest's words end up on somebody's screen. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
}

const JSON_LIMIT = 8 * 1024 * 1024;
const ERROR_LIMIT = 64 * 1024;
