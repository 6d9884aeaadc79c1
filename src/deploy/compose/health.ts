import type { HealthCheck } from '../model.ts';
import { Invalid, quoted } from './problems.ts';
import { parseDuration } from './quantities.ts';
import { either, fields, list, type Reader, scalar } from './read.ts';
import { parseFlag } from './settings.ts';

/** `healthcheck` of a service. A test in a string is a shell's; what is left out is left to the image. */
export const healthReader: Reader<HealthCheck> = (value, problems) => {
  const read = FIELDS(value, problems);
  if (read === undefined) return undefined;
  const test = read.disable === true ? ['NONE'] : (read.test ?? []);
  const [kind] = test;
  if (kind !== undefined && !KINDS.includes(kind)) {
    problems.report(
      value,
      `test begins with ${quoted(kind)}`,
      'begin it with CMD, CMD-SHELL or NONE, or write it as a string',
    );
    return undefined;
  }
  return {
    test,
    interval: read.interval ?? null,
    timeout: read.timeout ?? null,
    retries: read.retries ?? null,
    startPeriod: read.start_period ?? null,
    startInterval: read.start_interval ?? null,
  };
};

const shell = scalar('a command', (text) => ['CMD-SHELL', text]);

const FIELDS = fields({
  test: either<string[]>({ text: shell, list: list(scalar('a word', (text) => text)), map: shell }),
  interval: scalar('a duration', parseDuration),
  timeout: scalar('a duration', parseDuration),
  retries: scalar('a number', parseRetries),
  start_period: scalar('a duration', parseDuration),
  start_interval: scalar('a duration', parseDuration),
  disable: scalar('true or false', parseFlag),
});

function parseRetries(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new Invalid(`${quoted(text)} is no number of failures`, 'write a number from 1, such as 3');
}

const KINDS = ['CMD', 'CMD-SHELL', 'NONE'];
