import { constants } from 'node:os';
import { getSystemErrorMessage } from 'node:util';

/** A call that cannot be done, in words for whoever made it. */
export class RuntimeError extends Error {}

/** How a process on its way to a container failed, in the words that other runtimes' callers know. */
export function launchError(
  command: string,
  failure: { operation: string; object: string; errno: string },
): RuntimeError {
  const { operation, object, errno } = failure;
  const code = (constants.errno as Record<string, number>)[errno];
  const reason = code === undefined ? errno : getSystemErrorMessage(-code);
  if (operation !== 'execve') return new RuntimeError(`${operation} \`${object}\`: ${reason}`);
  if (errno === 'ENOENT' && !command.includes('/'))
    return new RuntimeError(`exec: \`${command}\`: executable file not found in $PATH: no such file or directory`);
  return new RuntimeError(`exec: \`${command}\`: ${reason}`);
}
