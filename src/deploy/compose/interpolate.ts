import { Invalid, quoted } from './problems.ts';

/**
 * Replaces variables as Compose does: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`,
 * `${NAME?message}`, `${NAME:+value}`, `${NAME+value}`; `$$` is a dollar. With a colon an empty variable counts as
 * unset. What follows the operator is interpolated too.
 * https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md
 *
 * @param onUnset called with the name of a variable that is not set and has no default: it becomes empty
 * @throws Invalid
 */
export function interpolate(
  text: string,
  environment: Readonly<Record<string, string>>,
  onUnset: (name: string) => void,
): string {
  const scope: Scope = { environment, onUnset, depth: 0, used: true };
  const { value } = expandUntil(text, 0, false, scope);
  return value;
}

interface Scope {
  environment: Readonly<Record<string, string>>;
  onUnset: (name: string) => void;
  depth: number;
  /** False inside a default that is not taken: it is read to find its end, and what is unset in it is nobody's concern. */
  used: boolean;
}

interface Expanded {
  value: string;
  /** Index after what was consumed. */
  end: number;
}

/** Expands to the end of the text, or inside braces to the closing one. */
function expandUntil(text: string, start: number, inBraces: boolean, scope: Scope): Expanded {
  let value = '';
  let index = start;
  while (index < text.length) {
    if (value.length > LENGTH_LIMIT) throw new Invalid('is longer than 128 KiB after interpolation', 'shorten it');
    const char = text.charAt(index);
    if (char === '}' && inBraces) return { value, end: index };
    if (char !== '$') {
      value += char;
      index += 1;
      continue;
    }
    const expanded = expandDollar(text, index, scope);
    value += expanded.value;
    index = expanded.end;
  }
  if (inBraces) throw malformed(text);
  return { value, end: index };
}

function expandDollar(text: string, dollar: number, scope: Scope): Expanded {
  if (text.charAt(dollar + 1) === '$') return { value: '$', end: dollar + 2 };
  const braced = text.charAt(dollar + 1) === '{';
  NAME.lastIndex = dollar + (braced ? 2 : 1);
  const name = NAME.exec(text)?.[0];
  if (name === undefined) throw malformed(text);
  const end = NAME.lastIndex;
  const value = Object.hasOwn(scope.environment, name) ? scope.environment[name] : undefined;
  if (!braced) return { value: orEmpty(name, value, scope), end };
  if (text.charAt(end) === '}') return { value: orEmpty(name, value, scope), end: end + 1 };
  return expandOperator(text, end, { name, value }, scope);
}

function expandOperator(
  text: string,
  start: number,
  { name, value }: { name: string; value: string | undefined },
  scope: Scope,
): Expanded {
  OPERATOR.lastIndex = start;
  const operator = OPERATOR.exec(text)?.[0];
  if (operator === undefined || scope.depth >= DEPTH_LIMIT) throw malformed(text);
  const present = value !== undefined && !(operator.startsWith(':') && value === '');
  const kind = operator.at(-1);
  const used = scope.used && (kind === '+' ? present : !present);
  const word = expandUntil(text, OPERATOR.lastIndex, true, { ...scope, depth: scope.depth + 1, used });
  const end = word.end + 1;
  if (kind === '?' && used) {
    const reason = word.value === '' ? '' : `: ${quoted(word.value)}`;
    throw new Invalid(`variable ${name} is not set${reason}`, `set ${name} in the environment or in .env`);
  }
  if (kind === '+') return { value: present ? word.value : '', end };
  return { value: present ? value : word.value, end };
}

function orEmpty(name: string, value: string | undefined, scope: Scope): string {
  if (value === undefined && scope.used) scope.onUnset(name);
  return value ?? '';
}

function malformed(text: string): Invalid {
  return new Invalid(`${quoted(text)} holds a malformed variable`, 'write ${NAME}, or $$ for a plain dollar');
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const OPERATOR = /:?[-?+]/y;

/** Defaults within defaults. */
const DEPTH_LIMIT = 16;

/** Longest text that the agent takes, in characters. */
const LENGTH_LIMIT = 128 * 1024;
