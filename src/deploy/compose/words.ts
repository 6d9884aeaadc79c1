import { Invalid, quoted } from './problems.ts';

/**
 * Splits a command line into words as Compose does (like a shell, without variables, globs or pipes): white space
 * separates, quotes and backslashes hold together. In double quotes a backslash escapes only `"`, `\`, `$`, `` ` `` and
 * a line break.
 *
 * @throws Invalid
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let index = 0;
  while (index < text.length) {
    const char = text.charAt(index);
    if (BLANK.includes(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      index += 1;
      continue;
    }
    const part = readPart(text, index);
    word = (word ?? '') + part.text;
    index = part.end;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** A quoted stretch, an escaped character or a plain one. */
function readPart(text: string, start: number): { text: string; end: number } {
  const char = text.charAt(start);
  if (char === "'") {
    const end = text.indexOf("'", start + 1);
    if (end === -1) throw unclosed(text);
    return { text: text.slice(start + 1, end), end: end + 1 };
  }
  if (char === '"') return readDoubleQuoted(text, start + 1);
  if (char !== '\\') return { text: char, end: start + 1 };
  if (start + 1 === text.length)
    throw new Invalid(`${quoted(text)} ends in a backslash`, 'write `\\\\` for a backslash');
  return { text: escaped(text.charAt(start + 1)), end: start + 2 };
}

function readDoubleQuoted(text: string, start: number): { text: string; end: number } {
  let result = '';
  for (let index = start; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (char === '"') return { text: result, end: index + 1 };
    const next = text.charAt(index + 1);
    if (char === '\\' && next !== '' && '"\\$`\n'.includes(next)) {
      result += escaped(next);
      index += 1;
    } else result += char;
  }
  throw unclosed(text);
}

/** A backslash before a line break joins the lines. */
function escaped(char: string): string {
  return char === '\n' ? '' : char;
}

function unclosed(text: string): Invalid {
  return new Invalid(`${quoted(text)} has a quote that is not closed`, 'close it, or write the command as a list');
}

const BLANK = ' \t\n\r';
