import test from 'ava';
import { readDuration, readSize } from '../src/quantities.ts';

test('sizes are in powers of 1024, and may have a fraction', (t) => {
  t.deepEqual(['7', '7b', '64kb', '512m', '1.5g', '1GiB', '2 t', '0'].map(readSize), [
    7,
    7,
    65536,
    512 * 1024 ** 2,
    1.5 * 1024 ** 3,
    1024 ** 3,
    2 * 1024 ** 4,
    0,
  ]);
  for (const text of ['', 'm', '-1', '1x', '1m2', '1e9', '1.', '0x10']) t.is(readSize(text), undefined, text);
});

test('durations are milliseconds, of one unit or several', (t) => {
  t.deepEqual(
    ['10s', '1m30s', '1.5h', '500ms', '2us', '2µs', '5000000ns'].map(readDuration),
    [10_000, 90_000, 5_400_000, 500, 0.002, 0.002, 5],
  );
  for (const text of ['', '10', 's', '-1s', '1d', '1s ', '1e3s', '1.s']) t.is(readDuration(text), undefined, text);
});
