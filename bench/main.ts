/**
 * `npm run bench -- NAME [--json] [--runs N]` runs bench/NAME.ts. With `--json` the only output is one object:
 * `goals` (id, what, value, goal, met), `samples` (raw, by name), `setting`, `machine`.
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench } from './frame/bench.ts';
import { thisMachine } from './frame/machine.ts';
import { formatMeasurement } from './frame/table.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, runs: { type: 'string' } },
});
const [name] = positionals;
const names = await benchNames();
if (name === undefined || !names.includes(name)) {
  console.error(`Usage: npm run bench -- NAME [--json] [--runs N]\nNames: ${names.join(', ') || 'none yet'}`);
  process.exit(2);
}
const { bench } = (await import(`./${name}.ts`)) as { bench: Bench };
const measurement = await bench.measure({
  runs: runsOf(values.runs) ?? bench.runs,
  report: (text) => console.error(text),
});
const machine = thisMachine();
console.log(values.json ? JSON.stringify({ ...measurement, machine }) : formatMeasurement(measurement, machine));

async function benchNames(): Promise<string[]> {
  const files = await readdir(import.meta.dirname);
  return files.filter((file) => file.endsWith('.ts') && file !== 'main.ts').map((file) => path.basename(file, '.ts'));
}

function runsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const runs = Number(text);
  if (Number.isInteger(runs) && runs > 0) return runs;
  console.error('--runs is a whole number from 1');
  process.exit(2);
}
