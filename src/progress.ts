/** How long work tells what it is doing. The engine streams these to the client, which renders them with listr2. */
export type ProgressEvent =
  | { type: 'step'; id: number; title: string; state: 'running' | 'done' | 'failed'; detail?: string | undefined }
  | { type: 'warning'; message: string };

export interface Progress {
  /** Runs `work` as one visible step; `detail` replaces the grey text behind the title. Steps may nest and overlap. */
  step<T>(title: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T>;
  warn(message: string): void;
}

/** A Progress that hands every event to `emit`. */
export function progressTo(emit: (event: ProgressEvent) => void): Progress {
  let last = 0;
  return {
    async step(title, work) {
      const id = ++last;
      emit({ type: 'step', id, title, state: 'running' });
      try {
        const result = await work((detail) => emit({ type: 'step', id, title, state: 'running', detail }));
        emit({ type: 'step', id, title, state: 'done' });
        return result;
      } catch (error) {
        emit({ type: 'step', id, title, state: 'failed' });
        throw error;
      }
    },
    warn: (message) => emit({ type: 'warning', message }),
  };
}

/** For callers that have nobody to tell. */
export const silent: Progress = progressTo(() => undefined);
