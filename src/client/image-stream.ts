import type { Readable } from 'node:stream';
import * as v from 'valibot';
import { ErrorBody } from '../api.ts';
import { NestError } from '../errors.ts';
import type { Progress } from '../progress.ts';
import { lines } from './ndjson.ts';

/**
 * Follows Docker's progress of a load, pull or push to its end: each layer is a step of its own, what is about none of
 * them is the detail of the whole.
 *
 * @returns the messages that are about no layer
 * @throws NestError the error that a message tells
 */
export async function followImageStream(
  reply: Readable,
  progress: Progress,
  detail: (text: string) => void,
): Promise<string[]> {
  const texts: string[] = [];
  const layers = layerSteps(progress);
  try {
    for await (const line of lines(reply)) {
      const message = v.parse(Message, JSON.parse(line));
      if (message.error !== undefined) {
        const { code, hint } = message.errorDetail ?? {};
        throw new NestError(code ?? 'image-invalid', message.error, hint === undefined ? {} : { hint });
      }
      const text = (message.stream ?? message.status ?? '').trim();
      if (text === '') continue;
      if (message.id !== undefined) layers.show(message.id, `${text} ${message.progress ?? ''}`.trim());
      else {
        texts.push(text);
        detail(text);
      }
    }
    await layers.end();
  } catch (error) {
    await layers.fail(error as Error);
    throw error;
  }
  return texts;
}

function layerSteps(progress: Progress) {
  const shown = new Map<string, { detail: (text: string) => void; finished: PromiseWithResolvers<void> }>();
  const steps: Promise<unknown>[] = [];
  const settle = async (how: (finished: PromiseWithResolvers<void>) => void) => {
    for (const { finished } of shown.values()) how(finished);
    await Promise.allSettled(steps);
  };
  return {
    show(id: string, text: string): void {
      const known = shown.get(id);
      if (known) known.detail(text);
      else
        steps.push(
          progress.step(`Layer ${id}`, (detail) => {
            const finished = Promise.withResolvers<void>();
            shown.set(id, { detail, finished });
            detail(text);
            return finished.promise;
          }),
        );
      if (FINAL.test(text)) shown.get(id)?.finished.resolve();
    },
    end: () => settle(({ resolve }) => resolve()),
    fail: (error: Error) => settle(({ reject }) => reject(error)),
  };
}

/** After these nothing more comes for a layer. */
const FINAL = /^(Pull complete|Already exists|Pushed|Layer already exists)/;

/** One line of Docker's progress; nest's engine adds code and hint to the detail of an error. */
const Message = v.object({
  stream: v.optional(v.string()),
  status: v.optional(v.string()),
  id: v.optional(v.string()),
  progress: v.optional(v.string()),
  error: v.optional(v.string()),
  errorDetail: v.optional(v.partial(ErrorBody)),
});
