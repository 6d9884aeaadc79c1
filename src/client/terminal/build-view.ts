import type { BuildProgress } from '../engine-client.ts';
import { escapeLine, escapeText } from './escape.ts';
import type { ProgressView } from './progress-view.ts';

export interface BuildView {
  show(event: BuildProgress): void;
  end(): Promise<void>;
  /** The last lines that the step wrote that failed. */
  lastOutput(): string[];
}

/** Steps as a list that is updated in place; behind the one that runs stands what its command wrote last. */
export function listView(view: ProgressView): BuildView {
  const output = lastLines();
  return {
    show(event) {
      if (event.type === 'output') {
        const line = output.take(event.text);
        if (line !== undefined)
          view.show({ type: 'step', ...STEP(event.number), title: '', state: 'running', detail: line });
      } else if (event.type === 'build-step') {
        if (event.state === 'running') output.clear();
        const detail =
          event.state === 'cached' ? 'cached' : event.state === 'running' ? '' : seconds(event.milliseconds);
        const state = event.state === 'cached' ? 'done' : event.state;
        view.show({ type: 'step', ...STEP(event.number), title: title(event), state, detail });
      } else view.show(event);
    },
    end: () => view.end(),
    lastOutput: () => output.lines(),
  };
}

/** A line for each step and all that commands write. */
export function plainView(write: (text: string) => void): BuildView {
  const output = lastLines();
  let column = 0;
  const line = (text: string) => {
    write(`${column > 0 ? '\n' : ''}${escapeLine(text)}\n`);
    column = 0;
  };
  return {
    show(event) {
      switch (event.type) {
        case 'output':
          output.take(event.text);
          write(escapeText(event.text));
          column = event.text.endsWith('\n') ? 0 : 1;
          break;
        case 'build-step':
          if (event.state === 'running') {
            output.clear();
            line(title(event, Infinity));
          } else
            line(`  ${event.state} ${event.state === 'cached' ? '' : `in ${seconds(event.milliseconds)}`}`.trimEnd());
          break;
        case 'step':
          if (event.state === 'running' && event.detail === undefined) line(`  ${event.title}`);
          break;
        case 'warning':
          line(`Warning: ${event.message}`);
      }
    },
    end: () => Promise.resolve(),
    lastOutput: () => [],
  };
}

/** Nothing is shown; what failed is. */
export function quietView(): BuildView {
  const output = lastLines();
  return {
    show(event) {
      if (event.type === 'output') output.take(event.text);
      if (event.type === 'build-step' && event.state === 'running') output.clear();
    },
    end: () => Promise.resolve(),
    lastOutput: () => output.lines(),
  };
}

function lastLines() {
  let kept: string[] = [];
  let rest = '';
  return {
    /** @returns the newest whole line, if there is a new one */
    take(text: string): string | undefined {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(-LINE_LIMIT);
      kept = [...kept, ...lines.map((line) => line.slice(0, LINE_LIMIT))].slice(-LINES);
      return lines
        .findLast((line) => line.trim() !== '')
        ?.trim()
        .slice(0, DETAIL);
    },
    clear() {
      kept = [];
      rest = '';
    },
    lines: () => (rest === '' ? kept : [...kept, rest]),
  };
}

/** Ids of a build's steps, apart from those of booting and pulling. */
const STEP = (number: number) => ({ id: -number });

function title({ number, total, text }: Extract<BuildProgress, { type: 'build-step' }>, width = TITLE): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return `[${number}/${total}] ${line.length > width ? `${line.slice(0, width - 1)}…` : line}`;
}

const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;

const TITLE = 48;
const DETAIL = 24;
const LINES = 20;
const LINE_LIMIT = 500;
