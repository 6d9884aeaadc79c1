import { StringDecoder } from 'node:string_decoder';

/**
 * Text that came from a guest, an image or a label, made harmless for a terminal: control characters and the marks
 * that reorder text (Unicode's bidirectional controls) are written out as `\x1b`, `\u202e`. Tab and newline stay.
 */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, visible);
}

export interface StreamEscaper {
  push(chunk: Buffer): string;
  /** What was held back, and the colours reset. */
  end(): string;
}

/** The same on one line. */
export function escapeLine(text: string): string {
  return escapeText(text).replaceAll('\n', '\\n').replaceAll('\t', ' ');
}

/**
 * A container's output on its way to a terminal: colours (SGR sequences), tab, newline and carriage return pass, other
 * control sequences are written out, so no output moves the cursor, sets the title or makes the terminal answer.
 * https://www.ecma-international.org/publications-and-standards/standards/ecma-48/
 */
export function streamEscaper(): StreamEscaper {
  const decoder = new StringDecoder('utf8');
  let held = '';
  let coloured = false;
  const escape = (text: string) =>
    text.replace(SGR_OR_UNSAFE, (match) => {
      if (match === '\r') return match;
      if (match.length === 1) return visible(match);
      coloured = true;
      return match;
    });
  return {
    push(chunk) {
      const text = held + decoder.write(chunk);
      // A sequence may be cut in two by the end of the chunk.
      held = UNFINISHED_SGR.exec(text)?.[0] ?? '';
      return escape(text.slice(0, text.length - held.length));
    },
    end: () => escape(held + decoder.end()) + (coloured ? RESET : ''),
  };
}

function visible(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
}

/* eslint-disable no-control-regex -- control characters are the subject. */
const UNSAFE = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
const SGR_OR_UNSAFE = /\x1b\[[\d;:]{0,32}m|[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
const UNFINISHED_SGR = /\x1b(?:\[[\d;:]{0,32})?$/;
const RESET = '\x1b[0m';
