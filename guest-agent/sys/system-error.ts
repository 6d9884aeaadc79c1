import { errnoName } from './errno.ts';

/** A system call that failed: "mount `proc`: ENOENT". */
export class SystemError extends Error {
  readonly operation: string;
  readonly object: string;
  /** Name, e.g. ENOENT. */
  readonly errno: string;
  /** Number, e.g. 2. */
  readonly code: number;

  constructor(operation: string, object: string, code: number) {
    const errno = errnoName(code);
    super(`${operation} \`${object}\`: ${errno}`);
    this.name = 'SystemError';
    this.operation = operation;
    this.object = object;
    this.errno = errno;
    this.code = code;
  }
}

/** Runs `action`; its failure with one of `errnos` is the answer `undefined`, any other one is thrown. */
export function unless<T>(errnos: string[], action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof SystemError && errnos.includes(error.errno)) return undefined;
    throw error;
  }
}
