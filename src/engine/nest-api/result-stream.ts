import { asNestError, toErrorBody } from '../../errors.ts';
import { progressTo, type Progress } from '../../progress.ts';
import type { Context } from '../context.ts';
import type { Call, Reply } from '../http/route.ts';

/**
 * Long work as a stream of StreamEvents (api.ts): its progress, then its result or its error. The client closes the
 * connection to cancel it.
 */
export function resultStream(
  ctx: Context,
  call: Call,
  work: (progress: Progress, signal: AbortSignal) => Promise<unknown>,
): Reply {
  const stream = ctx.work.lines(async (emit) => {
    try {
      emit({ type: 'result', value: await work(progressTo(emit), call.signal) });
    } catch (error) {
      emit({ type: 'error', error: toErrorBody(asNestError(error)) });
    }
  });
  return { status: 200, stream, contentType: NDJSON };
}

export const NDJSON = 'application/x-ndjson';
