/**
 * Errors that a user can act on. Programmer errors stay plain `Error`s.
 *
 * The message is one line: operation, `object`, cause. The hint says what to do next. The code is stable: scripts and
 * tests match it, never the words.
 */
export class NestError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'NestError';
    this.code = code;
    this.hint = options.hint;
  }
}

/** Each code with the HTTP status of the engine's reply; the Docker Engine API uses the same statuses for the same cases. */
export const ERROR_STATUS = {
  'invalid-input': 400,
  'invalid-compose': 400,
  unauthorized: 401,
  'not-permitted': 403,
  'not-found': 404,
  'image-not-found': 404,
  'guest-image-missing': 404,
  conflict: 409,
  'port-taken': 409,
  'no-room': 507,
  'boot-failed': 500,
  'guest-lost': 503,
  libvirt: 500,
  'libvirt-unavailable': 503,
  'engine-unavailable': 503,
  'image-invalid': 422,
  'registry-failed': 500,
  'exec-failed': 400,
  'tool-missing': 500,
  unsupported: 501,
  cancelled: 499,
  internal: 500,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** What crosses the wire when a request fails. `message` alone is Docker's shape; `code` and `hint` are nest's. */
export interface ErrorBody {
  message: string;
  code: ErrorCode;
  hint?: string;
}

/** Any thrown value as a NestError: what is not ours becomes `internal` with its message kept as the cause. */
export function asNestError(error: unknown): NestError {
  if (error instanceof NestError) return error;
  if (error instanceof Error && error.name === 'AbortError')
    return new NestError('cancelled', 'cancelled', { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new NestError('internal', message, { cause: error });
}

export function toErrorBody(error: NestError): ErrorBody {
  return { message: error.message, code: error.code, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}
