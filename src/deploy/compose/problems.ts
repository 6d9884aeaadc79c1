import { NestError } from '../../errors.ts';

/** Where something stands in the file; lines and columns count from 1. */
export interface Place {
  line: number;
  column: number;
  /** `services.web.ports[0]` */
  path: string;
}

/** Everything that is wrong with a file, collected so that one run shows all of it. */
export interface Problems {
  report(place: Place, what: string, advice: string): void;
  /** @throws NestError `invalid-compose` when anything was reported */
  finish(): void;
}

export function createProblems(fileName: string): Problems {
  const found: { place: Place; text: string }[] = [];
  return {
    report: (place, what, advice) => found.push({ place, text: `${what}; ${advice}` }),
    finish: () => {
      if (found.length === 0) return;
      const lines = found
        .sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
        .map(({ place, text }) => `${fileName}:${place.line}:${place.column}: ${subject(place)}${text}`);
      throw composeError(fileName, [...new Set(lines)]);
    },
  };
}

/** What a value's parser throws; whoever knows the value's place reports it. */
export class Invalid extends Error {
  readonly advice: string;

  constructor(what: string, advice: string) {
    super(what);
    this.advice = advice;
  }
}

/** Text from the file for a message: one line, bounded, without control characters. */
export function quoted(text: string): string {
  const short = text.length > QUOTE_LIMIT ? `${text.slice(0, QUOTE_LIMIT)}…` : text;
  return `\`${JSON.stringify(short).slice(1, -1).replaceAll('\\"', '"')}\``;
}

/** The path of `key` inside the map at `path`; what is no plain word is quoted. */
export function joinPath(path: string, key: string): string {
  const step = /^[\w.-]{1,64}$/.test(key) ? key : quoted(key);
  return path === '' ? step : `${path}.${step}`;
}

function subject(place: Place): string {
  return place.path === '' ? '' : `${place.path}: `;
}

/** One problem is the message; several are counted by the message and listed by the hint. */
function composeError(fileName: string, lines: string[]): NestError {
  const [first, ...more] = lines;
  if (first !== undefined && more.length === 0) return new NestError('invalid-compose', first);
  const shown = lines.slice(0, SHOWN_LIMIT);
  if (lines.length > shown.length) shown.push(`and ${lines.length - shown.length} more`);
  return new NestError('invalid-compose', `${fileName}: ${lines.length} errors`, { hint: shown.join('\n') });
}

const QUOTE_LIMIT = 80;
const SHOWN_LIMIT = 20;
