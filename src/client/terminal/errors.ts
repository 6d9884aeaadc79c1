import { asNestError, toErrorBody, type ErrorBody } from '../../errors.ts';
import { engineEnded } from '../http.ts';
import { escapeLine, escapeText } from './escape.ts';
import { Interrupted } from './interrupt.ts';

/** What a failed command tells, and its exit status. */
export interface Failure {
  exitCode: number;
  body: ErrorBody;
}

/** oclif's errors about arguments and flags carry `oclif.exit` 2; everything else is 1, or what the error asks for. */
export function failureOf(error: unknown, bin: string, commandName: string): Failure {
  if (isUsageError(error)) {
    const [first = ''] = error.message.replace(/\nSee more help with --help$/, '').split(/\n\n/);
    return {
      exitCode: 2,
      body: {
        code: 'invalid-input',
        message: first.replaceAll(/\s*\n\s*/g, ' '),
        hint: `Run \`${[bin, commandName].filter(Boolean).join(' ')} --help\`.`,
      },
    };
  }
  const nestError = asNestError(engineEnded(error));
  return { exitCode: nestError instanceof Interrupted ? nestError.exitCode : 1, body: toErrorBody(nestError) };
}

/** `Error: …` and, when there is something to do, `Hint: …`; a longer hint is a list under the error. */
export function formatFailure({ message, hint }: ErrorBody): string {
  const error = `Error: ${escapeText(message)}`;
  if (hint === undefined) return error;
  const lines = hint.split('\n').map(escapeLine);
  return lines.length === 1
    ? `${error}\nHint: ${lines.join('')}`
    : [error, ...lines.map((line) => `  ${line}`)].join('\n');
}

function isUsageError(error: unknown): error is Error {
  return error instanceof Error && 'oclif' in error && (error.oclif as { exit?: number }).exit === 2;
}
