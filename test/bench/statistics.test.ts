import test from 'ava';
import { atLeast, atMost } from '../../bench/frame/bench.ts';
import { interleave } from '../../bench/frame/interleave.ts';
import { median, pairedRatio, quantile, summarize } from '../../bench/frame/statistics.ts';
import { formatMeasurement } from '../../bench/frame/table.ts';

const quantiles: [samples: number[], share: number, value: number][] = [
  [[7], 0.95, 7],
  [[3, 1, 2], 0.5, 2],
  [[4, 1, 3, 2], 0.5, 2.5],
  [[1, 2, 3, 4, 5], 0, 1],
  [[1, 2, 3, 4, 5], 1, 5],
  [[10, 9, 1], 0.25, 5],
  [Array.from({ length: 101 }, (_, n) => n), 0.95, 95],
];

for (const [samples, share, value] of quantiles) {
  test(`the ${share} quantile of ${samples.length} samples from ${samples[0] ?? ''} is ${value}`, (t) => {
    t.is(quantile(samples, share), value);
  });
}

test('no samples have no quantile', (t) => {
  t.throws(() => median([]), { instanceOf: RangeError });
});

test('a summary leaves the samples in their order', (t) => {
  const samples = [3, 1, 2];
  t.deepEqual(summarize(samples), { count: 3, least: 1, median: 2, p95: 2.9, most: 3 });
  t.deepEqual(samples, [3, 1, 2]);
});

test('a ratio of pairs does not see what slows both', (t) => {
  t.is(pairedRatio([1, 100, 2], [2, 200, 4]), 0.5);
  t.throws(() => pairedRatio([1], [1, 2]), { instanceOf: RangeError });
});

test('measures take turns, each round begins with another, the first round is not counted', async (t) => {
  const order: string[] = [];
  const measure = (name: string) => (round: number) => {
    order.push(`${name}${round}`);
    return Promise.resolve(round);
  };
  const samples = await interleave(3, { a: measure('a'), b: measure('b') });
  t.deepEqual(order, ['a-1', 'b-1', 'a0', 'b0', 'b1', 'a1', 'a2', 'b2']);
  t.deepEqual(samples, { a: [0, 1, 2], b: [0, 1, 2] });
});

test('goals are met at their bound', (t) => {
  const goal = { id: 'x', what: 'x', value: 0.4 };
  t.true(atMost(0.4, goal).met);
  t.false(atMost(0.39, goal).met);
  t.true(atLeast(0.4, goal).met);
  t.false(atLeast(0.41, goal).met);
});

test('a measurement is shown as two tables and the machine', (t) => {
  const machine = { kernel: '6.1', architecture: 'x64', cpu: 'A CPU', cpus: 2, memory: 1, node: 'v24' };
  const goals = [atMost(0.4, { id: 'start', what: 'start, in starts of crun', value: 0.2183 })];
  const text = formatMeasurement(
    { goals, samples: { 'nest ms': [28.5, 30], 'crun ms': [131] }, setting: { accelerator: 'tcg' } },
    machine,
  );
  t.is(
    text,
    `SAMPLES  COUNT  LEAST  MEDIAN  P95   MOST
nest ms  2      28.5   29.3    29.9  30
crun ms  1      131    131     131   131

GOAL   WHAT                      VALUE  GOAL  RESULT
start  start, in starts of crun  0.218  0.4   met

2 × A CPU, Linux 6.1, Node v24, accelerator tcg`,
  );
});
