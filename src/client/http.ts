import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { ErrorBody } from '../api.ts';
import { ERROR_STATUS, NestError, type ErrorCode } from '../errors.ts';

export interface EngineRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query. */
  path: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is, instead of a body. */
  upload?: Readable;
  signal?: AbortSignal | undefined;
  /**
   * The engine undoes what it began when nobody waits for it. With this, `signal` ends what is sent and the reply is awaited all
   * the same: there is none, or what it tells of is there.
   */
  settles?: boolean;
}

/**
 * One exchange with the engine; resolves when the headers of a 2xx reply came, so a caller can order requests by it.
 * Any other reply, and a socket that nobody answers, is a NestError.
 */
export async function request(
  socketPath: string,
  { method, path, body, upload, signal, settles = false }: EngineRequest,
): Promise<Readable> {
  signal?.throwIfAborted();
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = text === undefined ? {} : { 'content-type': 'application/json' };
  // A connection of its own: a pooled one may have been closed by an engine that ended meanwhile.
  const abort = signal && !settles && { signal };
  const outgoing = httpRequest({ socketPath, method, path, headers, agent: false, ...abort });
  if (settles)
    outgoing.once('socket', (socket) => signal?.addEventListener('abort', () => socket.end(), { once: true }));
  const replied: { reply?: IncomingMessage } = {};
  // An upload that fails ends the request, or the reply where that has begun.
  if (upload !== undefined)
    pipeline(upload, outgoing).catch((error: unknown) => replied.reply?.destroy(error as Error));
  else outgoing.end(text);
  try {
    const [reply] = (await once(outgoing, 'response')) as [IncomingMessage];
    replied.reply = reply;
    // Node ties the signal to the request only: a reply that is still streaming would go on.
    if (!settles) signal?.addEventListener('abort', () => reply.destroy(signal.reason as Error), { once: true });
    const status = reply.statusCode ?? 0;
    if (status >= 200 && status < 300) return reply;
    throw errorReply(status, await readText(reply));
  } catch (error) {
    throw connectionError(socketPath, error, signal);
  }
}

/** An exchange after which the connection is the caller's, for bytes both ways. */
export async function upgrade(
  socketPath: string,
  { method, path, signal }: Pick<EngineRequest, 'method' | 'path' | 'signal'>,
): Promise<Duplex> {
  const headers = { connection: 'Upgrade', upgrade: 'tcp' };
  const outgoing = httpRequest({ socketPath, method, path, headers, agent: false, ...(signal && { signal }) });
  const upgraded = Promise.withResolvers<Duplex>();
  outgoing.once('upgrade', (_reply, socket: Duplex, head: Buffer) => {
    if (head.length > 0) socket.unshift(head);
    upgraded.resolve(socket);
  });
  outgoing.once('response', (reply) => {
    readText(reply).then((text) => upgraded.reject(errorReply(reply.statusCode ?? 0, text)), upgraded.reject);
  });
  outgoing.once('error', upgraded.reject);
  outgoing.end();
  try {
    return await upgraded.promise;
  } catch (error) {
    throw connectionError(socketPath, error, signal);
  }
}

/** The whole reply, at most 16 MiB, parsed with the schema. */
export async function requestJson<S extends v.GenericSchema>(
  socketPath: string,
  options: EngineRequest,
  schema: S,
): Promise<v.InferOutput<S>> {
  const text = await readText(await request(socketPath, options));
  return parseReply(text, schema, options);
}

export function parseReply<S extends v.GenericSchema>(
  text: string,
  schema: S,
  { method, path }: { method: string; path: string },
): v.InferOutput<S> {
  try {
    return v.parse(schema, JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NestError('internal', `read the engine's reply to \`${method} ${path}\`: ${reason}`, {
      hint: 'The engine may be of another version. Run `nest engine stop`, then try again.',
      cause,
    });
  }
}

/** The NestError that a reply's status and body stand for; Docker's shape has the message alone. */
export function errorReply(status: number, text: string): NestError {
  const body = parseJson(text);
  const full = v.safeParse(ErrorBody, body);
  if (full.success) {
    const { code, message, hint } = full.output;
    return new NestError(code, message, hint === undefined ? {} : { hint });
  }
  const docker = v.safeParse(v.object({ message: v.string() }), body);
  return new NestError(codeOfStatus(status), docker.success ? docker.output.message : `HTTP ${status} from the engine`);
}

/** What a failed connection means to a user. */
export function connectionError(socketPath: string, error: unknown, signal?: AbortSignal): unknown {
  if (error instanceof NestError) return error;
  if (signal?.aborted) return signal.reason;
  const errno = (error as NodeJS.ErrnoException).code;
  if (errno === 'EACCES' || errno === 'EPERM')
    return new NestError('not-permitted', `connect to engine \`${socketPath}\`: permission denied`, {
      hint: 'The engine belongs to another user. Run the command as that user (root: sudo).',
      cause: error,
    });
  if (errno === 'ENOENT' || errno === 'ECONNREFUSED')
    return new NestError('engine-unavailable', `connect to engine \`${socketPath}\`: no engine runs here`, {
      hint: 'Run `nest engine start`.',
      cause: error,
    });
  return engineEnded(error);
}

/** A connection that broke off means that the engine ended; any other error is returned as it is. */
export function engineEnded(error: unknown): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (!['ECONNRESET', 'EPIPE'].includes(code)) return error;
  return new NestError('engine-unavailable', 'the engine ended in the middle of the request', {
    hint: 'Run the command again: what was done stays, what was half done is undone.',
    cause: error,
  });
}

async function readText(reply: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_REPLY) throw new NestError('internal', 'read the engine’s reply: longer than 16 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function codeOfStatus(status: number): ErrorCode {
  const codes = Object.entries(ERROR_STATUS) as [ErrorCode, number][];
  return codes.find(([, known]) => known === status)?.[0] ?? 'internal';
}

const MAX_REPLY = 16 * 1024 * 1024;
