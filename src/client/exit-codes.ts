import { asNestError } from '../errors.ts';

/**
 * Docker's rules for the status of `run` and `exec` when the command itself did not run: the text of the error decides,
 * as in its CLI (docker run --help; cli/command/container/run.go, toStatusError).
 *
 * @param otherwise the status for errors that are about something else: 125 for run, 1 for exec
 */
export function startExitCode(error: unknown, otherwise: number): number {
  const { message } = asNestError(error);
  if (/executable file not found|no such file or directory|system cannot find the file/i.test(message)) return 127;
  if (/permission denied|is a directory/i.test(message)) return 126;
  return otherwise;
}
