/**
 * Words as they stand, quotes and all, separated by white space outside of quotes.
 *
 * @param escape takes the meaning from the next character
 */
export function splitWords(text: string, escape: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (quote === '' && /\s/.test(character)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    word += character;
    if (character === escape && quote !== "'") word += text.charAt(++at);
    else if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
  }
  return word === '' ? words : [...words, word];
}

/** The list of the JSON form, `["a", "b"]`; undefined when the text is none, as the shell form may begin with `[` too. */
export function jsonList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((word) => typeof word === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}

export interface Flagged {
  /** Values by name, in their order; a flag without a value has ''. */
  flags: Map<string, string[]>;
  rest: string;
}

/** Takes `--name=value` and `--name` from the beginning; `--` ends them. */
export function takeFlags(text: string, escape: string): Flagged {
  const flags = new Map<string, string[]>();
  let rest = text;
  while (rest.startsWith('--')) {
    const [word = ''] = splitWords(rest, escape);
    rest = rest.slice(word.length).trimStart();
    if (word === '--') break;
    const [, name = '', value = ''] = /^--([^=]*)=?(.*)$/s.exec(word) ?? [];
    flags.set(name, [...(flags.get(name) ?? []), value]);
  }
  return { flags, rest };
}
