import type { ProgressEvent } from '../../progress.ts';

/**
 * Steps as Docker's clients show them: those about a layer as a line of its own, which `id` keeps apart, the others as
 * text. A step's title is `Verb object size`, e.g. `Fetch sha256:0123456789ab 29 MB`.
 */
export function imageProgress(emit: (value: unknown) => void): (event: ProgressEvent) => void {
  return (event) => {
    const layer = event.type === 'step' ? LAYER.exec(event.title) : null;
    if (event.type === 'warning') emit({ status: `Warning: ${event.message}` });
    else if (layer) {
      const [, verb = '', id = '', size = ''] = layer;
      const { doing, done } = WORDS[verb] ?? { doing: verb, done: verb };
      const status = event.state === 'running' ? doing : event.state === 'done' ? done : `${doing} failed`;
      emit({ id, status, progressDetail: {}, progress: event.detail ?? size });
    } else if (event.state === 'failed') emit({ status: `${event.title}: failed` });
    else if (event.state === 'running')
      emit({ status: event.detail === undefined ? event.title : `${event.title}: ${event.detail}` });
  };
}

const LAYER = /^(Fetch|Layer) sha256:([0-9a-f]{12}) (.+)$/;
const WORDS: Record<string, { doing: string; done: string }> = {
  Fetch: { doing: 'Downloading', done: 'Download complete' },
  Layer: { doing: 'Extracting', done: 'Pull complete' },
};
