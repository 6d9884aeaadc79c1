import { NestError } from '../../errors.ts';

/** docker run takes its exit status from the words of this error: 127, 126, or 125 for all others. */
export function asStartError(error: unknown): unknown {
  if (!(error instanceof NestError) || error.code !== 'exec-failed') return error;
  const cause = error.cause instanceof Error ? error.cause.message : '';
  const words = WORDS.find(({ errno }) => cause.includes(errno))?.words;
  if (words === undefined || KNOWN.test(error.message)) return error;
  return new NestError(error.code, `${error.message}: ${words}`, {
    cause: error,
    ...(error.hint !== undefined && { hint: error.hint }),
  });
}

/** https://github.com/docker/cli/blob/v28.2.2/cli/command/container/run.go, toStatusError. */
const KNOWN = /executable file not found|no such file or directory|permission denied|is a directory/;

const WORDS = [
  { errno: 'ENOENT', words: 'no such file or directory' },
  { errno: 'EACCES', words: 'permission denied' },
  { errno: 'EISDIR', words: 'is a directory' },
];
