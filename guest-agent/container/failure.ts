import { constants } from 'node:os';
import { getSystemErrorMessage } from 'node:util';
import { errnoOf, RequestError } from '../errors.ts';
import { ZygoteError } from '../zygote-client.ts';

/** A start that failed, in the words that make the docker CLI choose its exit code (127, 126 or 125). */
export function startFailure(command = '', error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  const errno = errnoOf(error);
  if (!(error instanceof ZygoteError)) {
    const message = error instanceof Error ? error.message : String(error);
    return new RequestError(500, `start \`${command}\`: ${message}`, { cause: error, ...(errno && { errno }) });
  }
  const { operation, object } = error;
  const reason = words(error.errno);
  if (operation !== 'execve')
    return new RequestError(400, `${operation} \`${object}\`: ${reason}`, { errno: error.errno, cause: error });
  const missing = error.errno === 'ENOENT' && !command.includes('/');
  const cause = missing ? 'executable file not found in $PATH' : reason;
  return new RequestError(400, `exec: \`${command}\`: ${cause}`, { errno: error.errno, cause: error });
}

/** What shells return for a command that could not be run; 128 as docker does where the container is at fault. */
export function failedExitCode({ errno }: RequestError): number {
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return 127;
  if (errno === 'EACCES' || errno === 'EISDIR' || errno === 'ENOEXEC') return 126;
  return 128;
}

function words(errno: string): string {
  const code = (constants.errno as Record<string, number>)[errno];
  return code === undefined ? errno : getSystemErrorMessage(-code);
}
