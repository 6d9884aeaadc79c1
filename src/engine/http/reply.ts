import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { asNestError, ERROR_STATUS, toErrorBody } from '../../errors.ts';
import type { Reply } from './route.ts';

export async function sendReply(response: ServerResponse, reply: Reply): Promise<void> {
  if ('attached' in reply) {
    const { output, input, raw } = reply.attached;
    // Without an upgrade the client has no way to send: its body was the request.
    input.end();
    response.writeHead(200, { 'Content-Type': raw ? RAW : FRAMES }).flushHeaders();
    await pipeline(output, response);
  } else if ('stream' in reply) {
    response.writeHead(reply.status, { 'Content-Type': reply.contentType, ...reply.headers }).flushHeaders();
    await pipeline(reply.stream, response);
  } else if ('late' in reply) {
    response.writeHead(reply.status, { 'Content-Type': JSON_TYPE }).flushHeaders();
    response.end(JSON.stringify(await reply.late));
  } else if ('text' in reply) {
    response.writeHead(reply.status, { 'Content-Type': 'text/plain; charset=utf-8', ...reply.headers });
    response.end(reply.text);
  } else if (reply.json === undefined) response.writeHead(reply.status, reply.headers).end();
  else
    response.writeHead(reply.status, { 'Content-Type': JSON_TYPE, ...reply.headers }).end(JSON.stringify(reply.json));
}

/** Docker's clients print the raw JSON when the content type has a charset. */
export function errorReply(error: unknown): { status: number; json: unknown } {
  const nestError = asNestError(error);
  return { status: ERROR_STATUS[nestError.code], json: toErrorBody(nestError) };
}

/** Of a terminal. */
export const RAW = 'application/vnd.docker.raw-stream';
export const FRAMES = 'application/vnd.docker.multiplexed-stream';
const JSON_TYPE = 'application/json';
