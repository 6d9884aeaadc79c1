import test from 'ava';
import { expandText, expandWord } from '../../../src/build/dockerfile/expand.ts';

const VALUES: Record<string, string> = { A: 'a', EMPTY: '', PATH: '/bin' };
const expand = (word: string) => expandWord(word, (name) => VALUES[name], '\\');

for (const [word, result] of [
  ['$A', 'a'],
  ['x${A}y', 'xay'],
  ['$NONE.', '.'],
  ['${NONE:-b$A}', 'ba'],
  ['${EMPTY:-b}', 'b'],
  ['${EMPTY-b}', ''],
  ['${A:+set}', 'set'],
  ['${NONE+set}', ''],
  ['${NONE:-{x}}', '{x}'],
  ['\\$A', '$A'],
  ["'$A'", '$A'],
  ['"$A b"', 'a b'],
  ['"\\"q\\""', '"q"'],
  ['"a\\n"', 'a\\n'],
  ['a\\ b', 'a b'],
  ['/x:$PATH', '/x:/bin'],
  ['$', '$'],
] as [string, string][])
  test(`${word} is ${JSON.stringify(result)}`, (t) => t.is(expand(word), result));

for (const [word, message] of [
  ['"open', /matching "/],
  ['${A', /missing }/],
  ['${A/x/y}', /unsupported modifier/],
  ['${NONE:?is needed}', /NONE: is needed/],
] as [string, RegExp][])
  test(`${word} is refused`, (t) => void t.throws(() => expand(word), { message }));

test('in the text of a heredoc quotes stay', (t) => {
  t.is(
    expandText(`say "$A" '$A' \\$A`, (name) => VALUES[name], '\\'),
    `say "a" 'a' $A`,
  );
});
