import { once } from 'node:events';
import type { Readable } from 'node:stream';
import * as v from 'valibot';
import { invalid } from '../errors.ts';

/** The request's body as `schema` wants it. */
export async function readBody<S extends v.GenericSchema>(stream: Readable, schema: S): Promise<v.InferOutput<S>> {
  const chunks: Buffer[] = [];
  let length = 0;
  // The stream stays: an error is answered on it.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_LIMIT) throw invalid(`read request body: longer than ${BODY_LIMIT} bytes`);
    chunks.push(chunk);
  }
  return parse(schema, parseJson(Buffer.concat(chunks).toString('utf8')), 'request body');
}

/** The JSON of the body's first line; what follows it stays to be read. */
export async function readLine(stream: Readable): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const chunk = (stream.read() as Buffer | null) ?? undefined;
    if (chunk === undefined) {
      if (stream.readableEnded || stream.destroyed) throw invalid('read request body: it ends within its first line');
      await once(stream, 'readable');
      continue;
    }
    const end = chunk.indexOf(NEWLINE);
    chunks.push(end === -1 ? chunk : chunk.subarray(0, end));
    length += chunk.length;
    if (length > BODY_LIMIT) throw invalid(`read request body: longer than ${BODY_LIMIT} bytes`);
    if (end === -1) continue;
    if (end + 1 < chunk.length) stream.unshift(chunk.subarray(end + 1));
    return parseJson(Buffer.concat(chunks).toString('utf8'));
  }
}

/** `value` as `schema` wants it, or every objection with the path of its field. */
export function parse<S extends v.GenericSchema>(schema: S, value: unknown, what: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issues = result.issues.slice(0, ISSUES_SHOWN).map((issue) => {
    const path = v.getDotPath(issue);
    return path === null ? issue.message : `${path}: ${issue.message}`;
  });
  throw invalid(`check ${what}: ${issues.join('; ')}`.slice(0, MESSAGE_LIMIT));
}

/** A query parameter that is on or off. */
export const flag = (query: URLSearchParams, name: string) => ['1', 'true'].includes(query.get(name) ?? '');

/** A query parameter that counts something; undefined when it is not given. */
export function count(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^[0-9]{1,15}$/.test(text)) throw invalid(`check query parameter \`${name}\`: not a whole number`);
  return Number(text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`read request body: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const BODY_LIMIT = 2 * 1024 * 1024;
const ISSUES_SHOWN = 10;
const MESSAGE_LIMIT = 2000;
const NEWLINE = 0x0a;
