import { Invalid, quoted } from './problems.ts';
import { either, list, scalar, type Reader } from './read.ts';

/** Name and value; a null value is one that the file leaves open. */
type Variable = [name: string, value: string | null];

/**
 * `environment`: a map or a list of `NAME=VALUE`. A name without a value takes the caller's, and is left out where the
 * caller has none, as in Compose. Numbers and booleans keep the way they are written.
 */
export function environmentReader(caller: Readonly<Record<string, string>>): Reader<Record<string, string>> {
  const variables = variablesReader(parseVariable, checkVariable);
  return (value, problems) => {
    const read = variables(value, problems);
    return read && ownRecord(read.flatMap(([name, text]) => withCaller(name, text, caller)));
  };
}

/** `labels`: a map or a list of `KEY=VALUE`; without a value it is empty. */
export const labelsReader = assignmentsReader(checkLabel);

/** A map or a list of `NAME=VALUE`. @param checkName throws Invalid */
export function assignmentsReader(checkName: (name: string) => void): Reader<Record<string, string>> {
  const variables = variablesReader(parseVariable, checkName);
  return (value, problems) => {
    const read = variables(value, problems);
    return read && ownRecord(read.map(([name, text]) => [name, text ?? '']));
  };
}

function variablesReader(parse: (text: string) => Variable, checkName: (name: string) => void): Reader<Variable[]> {
  const checked = (text: string): Variable => {
    const variable = parse(text);
    checkName(variable[0]);
    return variable;
  };
  const open: Reader<Variable[]> = scalar('a map or a list', () => {
    throw new Invalid('is a single value', 'write a map, `NAME: value`, or a list, `- NAME=value`');
  });
  return either({
    text: open,
    list: list(scalar('NAME=value', checked)),
    map: (value, problems) => {
      if (value.kind !== 'map') return undefined;
      return [...value.entries].flatMap(([name, entry]) => {
        const text = scalar('a value', (content) => content)(entry.value, problems) ?? null;
        try {
          checkName(name);
          return [[name, text] satisfies Variable];
        } catch (error) {
          if (!(error instanceof Invalid)) throw error;
          problems.report(entry.key, error.message, error.advice);
          return [];
        }
      });
    },
  });
}

function parseVariable(text: string): Variable {
  const equals = text.indexOf('=');
  return equals === -1 ? [text, null] : [text.slice(0, equals), text.slice(equals + 1)];
}

function withCaller(name: string, text: string | null, caller: Readonly<Record<string, string>>): [string, string][] {
  if (text !== null) return [[name, text]];
  const inherited = Object.hasOwn(caller, name) ? caller[name] : undefined;
  return inherited === undefined ? [] : [[name, inherited]];
}

function checkVariable(name: string): void {
  if (name === '' || /[=\0]/.test(name)) throw new Invalid(`${quoted(name)} is no variable name`, 'write NAME=value');
}

/** These labels say what belongs to whom. */
function checkLabel(name: string): void {
  if (name === '') throw new Invalid('label without a key', 'write KEY=value');
  if (!/^(nest|com\.docker\.compose)\./.test(name)) return;
  throw new Invalid(`label ${quoted(name)} is reserved`, name === 'nest.zone' ? ZONE_ADVICE : 'choose another name');
}

/** Names come from the file: `__proto__` is a name like any other. */
function ownRecord(entries: [string, string][]): Record<string, string> {
  return Object.fromEntries(entries);
}

const ZONE_ADVICE = 'write `x-nest: { zone: NAME }`';
