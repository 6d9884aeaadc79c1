import type { Readable } from 'node:stream';
import type * as v from 'valibot';
import type { StreamEvent } from '../api.ts';
import { NestError } from '../errors.ts';
import { engineEnded, parseReply, type EngineRequest } from './http.ts';
import { lines } from './ndjson.ts';

type Event = { type: string };

/** Hands on what the stream tells until its `result`, which is returned, or its `error`, which is thrown. */
export async function follow<E extends Event, S extends v.GenericSchema>(
  stream: Readable,
  origin: EngineRequest,
  schemas: { event: v.GenericSchema<unknown, E | StreamEvent>; result: S },
  onEvent: (event: Exclude<E | StreamEvent, { type: 'result' | 'error' }>) => void,
): Promise<v.InferOutput<S>> {
  for await (const line of lines(stream)) {
    const event = parseReply(line, schemas.event, origin);
    if (isResult(event)) return parseReply(JSON.stringify(event.value), schemas.result, origin);
    if (isError(event)) {
      const { code, message, hint } = event.error;
      throw new NestError(code, message, hint === undefined ? {} : { hint });
    }
    onEvent(event as Exclude<E | StreamEvent, { type: 'result' | 'error' }>);
  }
  origin.signal?.throwIfAborted();
  throw engineEnded(Object.assign(new Error('the stream ended without a result'), { code: 'ECONNRESET' }));
}

const isResult = (event: Event): event is Extract<StreamEvent, { type: 'result' }> => event.type === 'result';
const isError = (event: Event): event is Extract<StreamEvent, { type: 'error' }> => event.type === 'error';
