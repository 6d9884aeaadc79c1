/**
 * A request that cannot be done, with the status of its reply. Anything else that is thrown is a fault of the agent: it
 * becomes a 500 and is written to the console.
 */
export class RequestError extends Error {
  readonly status: 400 | 404 | 409 | 500 | 502;
  /** The system call's error name, e.g. ENOENT, where one failed. */
  readonly errno: string | undefined;

  constructor(status: RequestError['status'], message: string, options: { errno?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RequestError';
    this.status = status;
    this.errno = options.errno;
  }
}

export const invalid = (message: string) => new RequestError(400, message);
export const notFound = (message: string) => new RequestError(404, message);
export const conflict = (message: string) => new RequestError(409, message);

/** Error name of a failed system call: Node's errors hold it in `code`, those of sys/ in `errno`. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('errno' in error && typeof error.errno === 'string') return error.errno;
  if ('code' in error && typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code)) return error.code;
  return undefined;
}

/** One line for the console, which is all that remains when the agent itself is at fault. */
export function report(operation: string, error: unknown): void {
  console.error(`${operation}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
}
