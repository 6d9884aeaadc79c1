import * as v from 'valibot';
import { NestError } from '../../errors.ts';
import { readDuration } from '../../quantities.ts';

/**
 * Docker's booleans: `1`, `true`. An empty value is false, as in Docker's engine: clients write an option that was not
 * given as `?force=`.
 */
export function flag(query: URLSearchParams, name: string): boolean {
  return isTrue(query.get(name) ?? '');
}

/** The same of a filter's value. */
export const isTrue = (value: string): boolean => ['1', 'true'].includes(value.toLowerCase());

/** Seconds since 1970, with a fraction, or RFC 3339; as milliseconds. Undefined when absent or 0. */
export function time(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === '' || value === '0') return undefined;
  const milliseconds = /^\d+(\.\d+)?$/.test(value) ? Math.floor(Number(value) * 1000) : Date.parse(value);
  if (Number.isSafeInteger(milliseconds)) return milliseconds;
  throw new NestError('invalid-input', `query \`${name}\`: not a time: ${value.slice(0, 64)}`);
}

/**
 * The filter `until`, as milliseconds since 1970: a time as above, or how long ago that is (`24h`). Infinity when absent.
 */
export function untilOf(wanted: Map<string, string[]>): number {
  const [until = ''] = wanted.get('until') ?? [];
  const ago = readDuration(until);
  return ago === undefined ? (time(new URLSearchParams({ until }), 'until') ?? Infinity) : Date.now() - ago;
}

/** A whole number that is not negative. */
export function count(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new NestError('invalid-input', `query \`${name}\`: not a number: ${value.slice(0, 64)}`);
}

/** Values by filter name. They come as maps, `{"label":{"a=b":true}}`, and as arrays. */
export function filters(query: URLSearchParams, known: readonly string[]): Map<string, string[]> {
  const parsed = v.safeParse(Filters, query.get('filters') || '{}');
  if (!parsed.success) throw new NestError('invalid-input', 'query `filters`: not a JSON object of filters');
  const entries = Object.entries(parsed.output).map(([name, values]): [string, string[]] => [
    name,
    Array.isArray(values) ? values : Object.keys(values).filter((value) => values[value]),
  ]);
  const unknown = entries.find(([name]) => !known.includes(name));
  if (unknown !== undefined)
    throw new NestError('unsupported', `filter \`${unknown[0].slice(0, 64)}\`: not supported by nest yet`, {
      hint: `supported: ${known.join(', ')}`,
    });
  return new Map(entries);
}

/** `a=b` asks for the value, `a` for the label alone; all must be met. */
export function matchesLabels(labels: Record<string, string>, wanted: string[] = []): boolean {
  return wanted.every((label) => {
    const at = label.indexOf('=');
    return at === -1 ? Object.hasOwn(labels, label) : labels[label.slice(0, at)] === label.slice(at + 1);
  });
}

/** Docker's `reference` filter: a name with or without its tag; `*` and `?` stand for anything but `/`. */
export function matchesReference(name: string, pattern: string): boolean {
  const expression = pattern
    .slice(0, 512)
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replace(/\*+/g, '[^/]*')
    .replaceAll('?', '[^/]');
  return new RegExp(`^${expression}(:[^/]*|@.*)?$`).test(name);
}

const Filters = v.pipe(
  v.string(),
  v.parseJson(),
  v.record(v.string(), v.union([v.array(v.string()), v.record(v.string(), v.boolean())])),
);
