import type { Measurement } from './bench.ts';
import type { Machine } from './machine.ts';
import { summarize } from './statistics.ts';

/** A measurement for people. */
export function formatMeasurement({ goals, samples, setting = {} }: Measurement, machine: Machine): string {
  const measured = Object.entries(samples).map(([name, values]) => {
    const { count, least, median, p95, most } = summarize(values);
    return [name, String(count), ...[least, median, p95, most].map(rounded)];
  });
  const wanted = goals.map(({ id, what, value, goal, met }) => [
    id,
    what,
    rounded(value),
    rounded(goal),
    met ? 'met' : 'missed',
  ]);
  const facts = Object.entries(setting).map(([name, value]) => `, ${name} ${value}`);
  return [
    columns(['SAMPLES', 'COUNT', 'LEAST', 'MEDIAN', 'P95', 'MOST'], measured),
    columns(['GOAL', 'WHAT', 'VALUE', 'GOAL', 'RESULT'], wanted),
    `${machine.cpus} × ${machine.cpu}, Linux ${machine.kernel}, Node ${machine.node}${facts.join('')}`,
  ].join('\n\n');
}

function columns(head: string[], rows: string[][]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Three significant digits, without an exponent. */
function rounded(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
