import { BuildProblem } from '../problem.ts';
/** Values by name; undefined for what is not set. */
export type Lookup = (name: string) => string | undefined;

/**
 * A word with its variables replaced and its quotes taken away, as Docker's builder does it
 * (https://docs.docker.com/reference/dockerfile/#environment-replacement).
 *
 * @throws BuildProblem saying what is wrong with it
 */
export function expandWord(word: string, lookup: Lookup, escape: string): string {
  let result = '';
  let quote = '';
  for (let at = 0; at < word.length;) {
    const character = word.charAt(at);
    if (character === escape && quote !== "'") {
      const next = word.charAt(at + 1);
      // Between double quotes it only escapes what would mean something there.
      if (quote === '"' && !['"', '$', escape].includes(next)) result += character;
      result += next;
      at += 2;
    } else if (quote !== "'" && character === '$') {
      const variable = readVariable(word, at, lookup, escape);
      result += variable.value;
      at = variable.end;
    } else {
      if (quote === character) quote = '';
      else if (quote === '' && (character === '"' || character === "'")) quote = character;
      else result += character;
      at++;
    }
  }
  if (quote !== '') throw new BuildProblem(`unexpected end of statement while looking for matching ${quote}`);
  return result;
}

/** Variables alone, for the content of heredocs: quotes stay. */
export function expandText(text: string, lookup: Lookup, escape: string): string {
  let result = '';
  for (let at = 0; at < text.length;) {
    const character = text.charAt(at);
    if (character === escape && ['$', escape].includes(text.charAt(at + 1))) {
      result += text.charAt(at + 1);
      at += 2;
    } else if (character === '$') {
      const variable = readVariable(text, at, lookup, escape);
      result += variable.value;
      at = variable.end;
    } else {
      result += character;
      at++;
    }
  }
  return result;
}

/** @param at of the `$` */
function readVariable(text: string, at: number, lookup: Lookup, escape: string): { value: string; end: number } {
  const bare = /^\$([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])/.exec(text.slice(at));
  if (bare !== null) return { value: lookup(bare[1] ?? '') ?? '', end: at + bare[0].length };
  if (text.charAt(at + 1) !== '{') return { value: '$', end: at + 1 };
  const end = closingBrace(text, at + 2, escape);
  const inner = text.slice(at + 2, end);
  const [, name = '', operator = '', word = ''] =
    /^([A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])(:?[-+?]|)(.*)$/s.exec(inner) ?? [];
  if (name === '' || (operator === '' && word !== '')) throw new BuildProblem(`unsupported modifier in \${${inner}}`);
  return { value: substitute(name, operator, () => expandWord(word, lookup, escape), lookup), end: end + 1 };
}

/** POSIX, Shell Command Language, 2.6.2. A colon treats empty as not set. */
function substitute(name: string, operator: string, word: () => string, lookup: Lookup): string {
  const value = lookup(name);
  const isSet = value !== undefined && !(operator.startsWith(':') && value === '');
  switch (operator.slice(-1)) {
    case '-':
      return isSet ? value : word();
    case '+':
      return isSet ? word() : '';
    case '?':
      if (!isSet) throw new BuildProblem(`${name}: ${word() || 'not set'}`);
      return value;
    default:
      return value ?? '';
  }
}

function closingBrace(text: string, from: number, escape: string): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === escape) at++;
    else if (character === '{') depth++;
    else if (character === '}' && --depth === 0) return at;
  }
  throw new BuildProblem('syntax error: missing }');
}
