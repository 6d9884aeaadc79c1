import { Invalid, type Place, type Problems } from './problems.ts';
import { didYouMean } from './suggest.ts';
import type { MapValue, Value } from './tree.ts';
import type { Refusal } from './unsupported.ts';

/** Turns a value of the file into a part of the model; undefined when nothing is given or a problem was reported. */
export type Reader<T> = (value: Value, problems: Problems) => T | undefined;

export interface Located<T> {
  value: T;
  place: Place;
}

/** What a map with known keys reads as: keys that are absent, null or wrong are missing. */
export type Fields<R extends Record<string, Reader<unknown>>> = {
  [K in keyof R]?: R[K] extends Reader<infer T> ? T : never;
};

/**
 * A single value.
 *
 * @param expected for the message about lists and maps: "a name"
 * @param parse throws Invalid
 */
export function scalar<T>(expected: string, parse: (text: string) => T): Reader<T> {
  return (value, problems) => {
    if (value.kind === 'broken') return undefined;
    if (value.kind !== 'text') {
      problems.report(value, `is a ${value.kind}`, `write ${expected}`);
      return undefined;
    }
    const { text } = value;
    return text === null ? undefined : guarded(value, problems, () => parse(text));
  };
}

/** A list whose items all read; null items are wrong. */
export function list<T>(item: Reader<T>): Reader<T[]> {
  return (value, problems) => {
    if (value.kind !== 'list') {
      reportKind(value, 'write a list: `- item`', problems);
      return undefined;
    }
    return value.items.flatMap((each) => {
      if (isNull(each)) problems.report(each, 'is empty', 'write a value or remove the item');
      const read = isNull(each) ? undefined : item(each, problems);
      return read === undefined ? [] : [read];
    });
  };
}

/** Keeps the place of what was read, for checks across the file. */
export function located<T>(reader: Reader<T>): Reader<Located<T>> {
  return (value, problems) => {
    const read = reader(value, problems);
    return read === undefined ? undefined : { value: read, place: value };
  };
}

/** Reads by the kind of value that is there. */
export function either<T>(readers: Record<'text' | 'list' | 'map', Reader<T>>): Reader<T> {
  return (value, problems) => (value.kind === 'broken' ? undefined : readers[value.kind](value, problems));
}

/**
 * A map with these keys and no others.
 *
 * @param refusal what to say about a key that is known and not supported
 * @param extensions accept `x-…` keys that are not named, as Compose does
 */
export function fields<R extends Record<string, Reader<unknown>>>(
  readers: R,
  { refusal = () => undefined, extensions = false }: FieldOptions = {},
): Reader<Fields<R>> {
  return (value, problems) => {
    if (!isMap(value, problems)) return undefined;
    const result: Record<string, unknown> = {};
    for (const [name, entry] of value.entries) {
      const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
      if (reader !== undefined) {
        const read = reader(entry.value, problems);
        if (read !== undefined) result[name] = read;
      } else if (!(extensions && isForeignExtension(name))) {
        const { what, advice } = refusal(name) ?? unknown(name, Object.keys(readers));
        problems.report(entry.key, what, advice);
      }
    }
    return result as Fields<R>;
  };
}

/**
 * A map of names to what they are, of which each may be left empty: `volumes`, `networks`.
 *
 * @param parse checks a name, throws Invalid
 */
export function definitions<F, T>(
  parse: (name: string) => unknown,
  definition: Reader<F>,
  make: (name: string, read: Partial<F>, report: (what: string, advice: string) => void) => T,
): Reader<T[]> {
  return (value, problems) => {
    if (!isMap(value, problems)) return undefined;
    return [...value.entries].flatMap(([name, entry]) => {
      guarded(entry.key, problems, () => parse(name));
      const read: Partial<F> | undefined = isNull(entry.value) ? {} : definition(entry.value, problems);
      return read === undefined ? [] : [make(name, read, (what, advice) => problems.report(entry.value, what, advice))];
    });
  };
}

/** True for a map; null is silently none, everything else is reported. */
export function isMap(value: Value, problems: Problems): value is MapValue {
  if (value.kind === 'map') return true;
  reportKind(value, 'write a map: `key: value`', problems);
  return false;
}

/** Nothing is written there, or `null`. */
export function isNull(value: Value): boolean {
  return value.kind === 'text' && value.text === null;
}

/** Runs a parser and reports its Invalid at a place. */
export function guarded<T>(place: Place, problems: Problems, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    problems.report(place, error.message, error.advice);
    return undefined;
  }
}

interface FieldOptions {
  refusal?: (key: string) => Refusal | undefined;
  extensions?: boolean;
}

/** `x-nest` is ours, and so is whatever looks like a misspelling of it. */
function isForeignExtension(name: string): boolean {
  return name.startsWith('x-') && didYouMean(name, ['x-nest']) === '';
}

function unknown(name: string, known: string[]): Refusal {
  const guess = didYouMean(name, known);
  return { what: 'unknown key', advice: guess === '' ? 'remove it' : guess.slice(2) };
}

function reportKind(value: Value, advice: string, problems: Problems): void {
  if (isNull(value) || value.kind === 'broken') return;
  problems.report(value, `is a ${value.kind === 'text' ? 'single value' : value.kind}`, advice);
}
