import test from 'ava';
import { interpolate } from '../../../src/deploy/compose/interpolate.ts';
import { Invalid } from '../../../src/deploy/compose/problems.ts';

const environment = { NAME: 'nest', EMPTY: '', DOLLAR: '$NAME' };

const good: [text: string, value: string, unset?: string[]][] = [
  ['plain', 'plain'],
  ['$NAME', 'nest'],
  ['${NAME}', 'nest'],
  ['a-${NAME}-b', 'a-nest-b'],
  ['$NAME.txt', 'nest.txt'],
  ['$$NAME', '$NAME'],
  ['$${NAME}', '${NAME}'],
  ['$$$NAME', '$nest'],
  ['$DOLLAR', '$NAME'],
  ['}', '}'],
  ['$MISSING', '', ['MISSING']],
  ['${MISSING}', '', ['MISSING']],
  ['${EMPTY}', ''],
  ['${MISSING:-default}', 'default'],
  ['${MISSING-default}', 'default'],
  ['${EMPTY:-default}', 'default'],
  ['${EMPTY-default}', ''],
  ['${NAME:-default}', 'nest'],
  ['${MISSING:-}', ''],
  ['${MISSING:-a:-b}', 'a:-b'],
  ['${MISSING:-${OTHER:-${NAME}}}!', 'nest!'],
  ['${NAME:-${OTHER}}', 'nest'],
  ['${NAME:-${OTHER:?needed}}', 'nest'],
  ['${NAME:?needed}', 'nest'],
  ['${EMPTY?needed}', ''],
  ['${NAME:+set}', 'set'],
  ['${EMPTY:+set}', ''],
  ['${EMPTY+set}', 'set'],
  ['${MISSING+set}', ''],
  ['${MISSING:+${OTHER:?needed}}', ''],
  ['${MISSING:-$$}', '$'],
  ['${constructor:-own}', 'own'],
];

for (const [text, value, unset = []] of good) {
  test(`${text} becomes "${value}"`, (t) => {
    const seen: string[] = [];
    t.is(
      interpolate(text, environment, (name) => seen.push(name)),
      value,
    );
    t.deepEqual(seen, unset);
  });
}

const bad: [text: string, message: string][] = [
  ['${MISSING:?the name of the shop}', 'variable MISSING is not set: `the name of the shop`'],
  ['${MISSING?}', 'variable MISSING is not set'],
  ['${EMPTY:?}', 'variable EMPTY is not set'],
  ['${MISSING:-${OTHER:?deep}}', 'variable OTHER is not set: `deep`'],
  ['costs 5$', '`costs 5$` holds a malformed variable'],
  ['$1', '`$1` holds a malformed variable'],
  ['${}', '`${}` holds a malformed variable'],
  ['${NAME', '`${NAME` holds a malformed variable'],
  ['${NAME:-x', '`${NAME:-x` holds a malformed variable'],
  ['${NAME!}', '`${NAME!}` holds a malformed variable'],
  ['${NA ME}', '`${NA ME}` holds a malformed variable'],
];

for (const [text, message] of bad) {
  test(`${text} is refused`, (t) => {
    t.throws(() => interpolate(text, environment, () => undefined), { instanceOf: Invalid, message });
  });
}

test('nesting and growth end in a refusal, not in a crash', (t) => {
  const nested = '${A:-'.repeat(100_000);
  t.throws(() => interpolate(nested, {}, () => undefined), { instanceOf: Invalid });
  const large = { BIG: 'x'.repeat(64 * 1024) };
  t.throws(() => interpolate('$BIG'.repeat(1000), large, () => undefined), { instanceOf: Invalid, message: /128 KiB/ });
});
