import test from 'ava';
import { escapeLine, escapeText, streamEscaper } from '../../src/client/terminal/escape.ts';

test('text keeps newlines and tabs and shows other control characters', (t) => {
  t.is(escapeText('a\tb\nc\u001b[2Jd\re\u0000\u009b'), 'a\tb\nc\\x1b[2Jd\\x0de\\x00\\x9b');
  t.is(escapeText('safe\u202egpj.exe'), 'safe\\u202egpj.exe');
  t.is(escapeLine('two\nlines'), 'two\\nlines');
});

const escaped = test.macro((t, chunks: string[], expected: string) => {
  const escaper = streamEscaper();
  const out = chunks.map((chunk) => escaper.push(Buffer.from(chunk, 'latin1'))).join('');
  t.is(out + escaper.end(), expected);
});

test('colours pass and are reset at the end', escaped, ['\u001b[1;31mred'], '\u001b[1;31mred\u001b[0m');
test('a colour cut in two by the end of a chunk passes', escaped, ['\u001b[3', '1mred'], '\u001b[31mred\u001b[0m');
test('a carriage return passes: progress bars use it', escaped, ['50%\r', '100%\n'], '50%\r100%\n');
test('a cursor movement is shown', escaped, ['\u001b[2J\u001b[H'], '\\x1b[2J\\x1b[H');
test('a cursor movement cut in two is shown', escaped, ['\u001b[', '2J'], '\\x1b[2J');
test('a title is shown', escaped, ['\u001b]0;x\u0007'], '\\x1b]0;x\\x07');
test('an endless parameter list is no colour', escaped, [`\u001b[${'1;'.repeat(40)}m`], `\\x1b[${'1;'.repeat(40)}m`);
test('an unfinished sequence at the end is shown', escaped, ['bye\u001b'], 'bye\\x1b');
test('a character cut in two by the end of a chunk is whole', escaped, ['\u00c3', '\u00a9'], 'é');
