import { StringDecoder } from 'node:string_decoder';
import type { BuildEvent } from '../../api.ts';
import type { BuildReport } from '../../build/build.ts';

/** A build's steps, their output and its warnings as events. */
export function eventReport(emit: (event: BuildEvent) => void): BuildReport {
  return {
    async step({ number, total, text }, work) {
      const step = { type: 'build-step' as const, number, total, text };
      const begun = performance.now();
      const decoder = new StringDecoder('utf8');
      emit({ ...step, state: 'running', milliseconds: 0 });
      const end = (state: 'cached' | 'done' | 'failed') =>
        emit({ ...step, state, milliseconds: Math.round(performance.now() - begun) });
      try {
        end(await work((bytes) => emit({ type: 'output', number, text: decoder.write(bytes) })));
      } catch (error) {
        end('failed');
        throw error;
      }
    },
    warn: (message) => emit({ type: 'warning', message }),
  };
}
