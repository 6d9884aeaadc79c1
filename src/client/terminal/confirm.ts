import { createInterface } from 'node:readline/promises';
import { NestError } from '../../errors.ts';

/**
 * Asks on the terminal; anything but y or yes is no.
 *
 * @throws NestError `invalid-input` where nobody can answer
 */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new NestError('invalid-input', `${question} Nobody is there to answer`, { hint: 'Say it with --force.' });
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `, { signal })).trim());
  } finally {
    terminal.close();
  }
}
