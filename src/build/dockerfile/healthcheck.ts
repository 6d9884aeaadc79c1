import { readDuration } from '../../quantities.ts';
import type { Healthcheck } from './instruction.ts';
import { command, onlyFlags, type ParserInput } from './parsers.ts';
import { takeFlags } from './words.ts';

/** https://docs.docker.com/reference/dockerfile/#healthcheck */
export function parseHealthcheck(input: ParserInput): Healthcheck {
  const { flags, rest } = takeFlags(input.rest, input.escape);
  onlyFlags(input, flags, ['interval', 'timeout', 'start-period', 'start-interval', 'retries']);
  const [type = ''] = rest.split(/\s/);
  const none = type.toUpperCase() === 'NONE';
  const text = rest.slice(type.length).trim();
  if (!none && (type.toUpperCase() !== 'CMD' || text === ''))
    throw input.fail('it is HEALTHCHECK NONE or HEALTHCHECK CMD …');
  const retries = flags.get('retries')?.at(-1) ?? '0';
  if (!/^\d{1,6}$/.test(retries)) throw input.fail(`--retries=${retries} is no number`);
  const time = (name: string) => duration(input, name, flags.get(name)?.at(-1));
  return {
    command: none ? null : command(text),
    interval: time('interval'),
    timeout: time('timeout'),
    startPeriod: time('start-period'),
    startInterval: time('start-interval'),
    retries: Number(retries),
  };
}

/** @returns nanoseconds */
function duration(input: ParserInput, name: string, value: string | undefined): number {
  if (value === undefined || value === '0') return 0;
  const milliseconds = readDuration(value);
  if (milliseconds === undefined) throw input.fail(`--${name}=${value} is no duration such as 30s`);
  return Math.round(milliseconds * 1e6);
}
