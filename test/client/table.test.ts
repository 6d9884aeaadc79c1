import test from 'ava';
import { keyValues, table, type Column } from '../../src/client/terminal/table.ts';
import { bytes, duration } from '../../src/client/terminal/units.ts';

interface Row {
  name: string;
  image: string;
}
const columns: Column<Row>[] = [
  { title: 'NAME', value: ({ name }) => name, shrink: 1 },
  { title: 'IMAGE', value: ({ image }) => image, shrink: 2 },
];
const long = { name: 'a'.repeat(30), image: 'i'.repeat(60) };

test('a table that fits is aligned and not cut', (t) => {
  const rows = [
    { name: 'web', image: 'nginx' },
    { name: 'database', image: 'postgres' },
  ];
  t.is(
    table(rows, columns, { width: 80, colors: false }),
    ['NAME      IMAGE', 'web       nginx', 'database  postgres'].join('\n'),
  );
});

test('on a narrow terminal the column that gives way first is cut', (t) => {
  const lines = table([long], columns, { width: 80, colors: false }).split('\n');
  t.true(lines.every((line) => line.length <= 80));
  t.is(lines[1], `${long.name}  ${'i'.repeat(47)}…`);
});

test('when one column is not enough the next gives way too, none to nothing', (t) => {
  const [, line = ''] = table([long], columns, { width: 30, colors: false }).split('\n');
  t.is(line, `${'a'.repeat(19)}…  ${'i'.repeat(7)}…`);
});

test('a pipe gets everything', (t) => {
  t.true(table([long], columns, { width: Infinity, colors: false }).includes(`${long.name}  ${long.image}`));
});

test('cells are one line each', (t) => {
  t.is(table([{ name: 'a\nb\u001b[2J', image: 'x' }], columns, { width: 80, colors: false }).split('\n').length, 2);
});

test('values stand under each other', (t) => {
  t.is(
    keyValues([
      ['Name', 'web'],
      ['Boot id', '1'],
    ]),
    'Name:     web\nBoot id:  1',
  );
});

test('a value without a name goes on with the one before', (t) => {
  t.is(
    keyValues([
      ['Memory', '1 GiB promised'],
      ['', '2 MiB used'],
    ]),
    'Memory:  1 GiB promised\n         2 MiB used',
  );
});

test('sizes have three digits at most', (t) => {
  const sizes = [0, 1023, 1536, 812 * 1024 ** 2, 1024 ** 3, 1.46 * 1024 ** 3];
  t.deepEqual(sizes.map(bytes), ['0 B', '1023 B', '1.5 KiB', '812 MiB', '1 GiB', '1.5 GiB']);
});

test('durations are said in their largest unit', (t) => {
  const spans = [0, 1000, 59_999, 60_000, 7_200_000, 172_800_000, 56 * 366 * 86_400_000];
  t.deepEqual(spans.map(duration), [
    '0 seconds',
    '1 second',
    '59 seconds',
    '1 minute',
    '2 hours',
    '2 days',
    '56 years',
  ]);
});
