import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { GenericSchema, InferOutput } from 'valibot';
import type { AttachedStreams } from '../containers/output.ts';

/** One request, as handlers see it. */
export interface Call {
  /** Of the path, decoded. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** Aborts when the client has gone away before the reply was complete. */
  signal: AbortSignal;
  /** The body as JSON; an absent one is {}. @throws NestError `invalid-input` with all that is wrong. */
  json<S extends GenericSchema>(schema: S): Promise<InferOutput<S>>;
  /** The body itself, for uploads. */
  body: IncomingMessage;
}

export type Reply =
  | {
      status: number;
      json?: unknown;
      headers?: Record<string, string>;
      /** Takes back what the reply tells of, when its client had gone before it was sent. */
      undelivered?: () => Promise<void>;
    }
  | { status: number; text: string; headers?: Record<string, string> }
  /** The headers go out at once, the JSON when it is there. */
  | { status: number; late: Promise<unknown> }
  | { status: number; stream: Readable; contentType: string; headers?: Record<string, string> }
  /** The connection becomes the stream where the client asked for an upgrade. */
  | { attached: AttachedStreams; stdin: boolean };

export interface Route {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** Path of a URLPattern, without API version. */
  path: string;
  /** True where `Upgrade: tcp` is taken. */
  hijacks?: true;
  handle: (call: Call) => Promise<Reply> | Reply;
}
