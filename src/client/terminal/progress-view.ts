import { styleText } from 'node:util';
import type { ListrTask } from 'listr2';
import type { ProgressEvent } from '../../progress.ts';
import { escapeLine } from './escape.ts';

export interface ProgressView {
  show(event: ProgressEvent): void;
  /** Shows the last state, gives the terminal back and prints the warnings; again is harmless. */
  end(): Promise<void>;
}

export interface ProgressOptions {
  /** False with --json. */
  visible: boolean;
  /** Steps vanish when all is done: what follows tells enough. */
  clear?: boolean;
}

/**
 * Shows steps on stderr: spinners on a terminal, a line for each elsewhere. Nothing appears for work that ends within
 * 300 ms (1 s where nobody watches), and then listr2 is not even loaded.
 */
export function progressView({ visible, clear = false }: ProgressOptions): ProgressView {
  const steps = new Steps();
  const warnings: string[] = [];
  let list: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const open = () => {
    timer = undefined;
    if (steps.running > 0) list ??= runList(steps, clear);
  };
  return {
    show(event) {
      if (!visible) return;
      if (event.type === 'warning') warnings.push(event.message);
      else steps.apply(event);
      if (list === undefined) timer ??= setTimeout(open, process.stderr.isTTY ? 300 : 1000);
    },
    async end() {
      clearTimeout(timer);
      steps.end();
      await list;
      for (const message of warnings.splice(0)) process.stderr.write(`Warning: ${escapeLine(message)}\n`);
    },
  };
}

type StepEvent = Extract<ProgressEvent, { type: 'step' }>;

/** A step as the list shows it. */
class Step {
  title: string;
  detail = '';
  onDetail: () => void = () => undefined;
  readonly finished = Promise.withResolvers<boolean>();

  constructor(title: string) {
    this.title = escapeLine(title);
  }
}

/** The steps in their order; `next` waits for one that is not there yet. */
class Steps {
  running = 0;
  readonly #byId = new Map<number, Step>();
  readonly #queue: Step[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  apply({ id, title, state, detail }: StepEvent): void {
    let step = this.#byId.get(id);
    if (!step) {
      step = new Step(title);
      this.#byId.set(id, step);
      this.#queue.push(step);
      this.running++;
      this.#wake();
    }
    if (detail !== undefined) step.detail = escapeLine(detail);
    step.onDetail();
    if (state === 'running') return;
    step.finished.resolve(state === 'done');
    this.running--;
  }

  end(): void {
    this.#ended = true;
    for (const step of this.#byId.values()) step.finished.resolve(false);
    this.#wake();
  }

  async next(): Promise<Step | undefined> {
    while (this.#queue.length === 0 && !this.#ended)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.#queue.shift();
  }
}

async function runList(steps: Steps, clear: boolean): Promise<void> {
  const { Listr, ListrLogger, ProcessOutput } = await import('listr2');
  const terminal = process.stderr.isTTY;
  const logger = new ListrLogger({
    useIcons: terminal,
    processOutput: new ProcessOutput(process.stderr, process.stderr),
  });
  const list = new Listr([slot(steps, terminal)], {
    exitOnError: false,
    registerSignalListeners: false,
    ...(terminal
      ? {
          renderer: 'default',
          rendererOptions: { logger, clearOutput: clear, collapseErrors: false, showErrorMessage: false },
        }
      : { renderer: 'verbose', rendererOptions: { logger, logTitleChange: false } }),
  });
  await list.run();
}

/**
 * listr2 wants its tasks before it runs; the engine's steps become known one by one. So the list is a task without a
 * title (listr2 shows only its subtasks, not indented) that waits for a step, then becomes that step and the next slot.
 */
function slot(steps: Steps, terminal: boolean): ListrTask {
  return {
    task: async (_context, self) => {
      const step = await steps.next();
      if (!step) return;
      return self.newListr([task(step, terminal), slot(steps, terminal)], { concurrent: true, exitOnError: false });
    },
  };
}

function task(step: Step, terminal: boolean): ListrTask {
  return {
    title: step.title,
    task: async (_context, self) => {
      step.onDetail = () => {
        if (terminal && step.detail !== '')
          self.title = `${step.title} ${styleText('dim', step.detail, { stream: process.stderr })}`;
      };
      step.onDetail();
      if (!(await step.finished.promise)) throw new Error(step.title);
    },
  };
}
