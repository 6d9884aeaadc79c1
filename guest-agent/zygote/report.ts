import { O_CLOEXEC } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { SystemError } from '../sys/system-error.ts';

/**
 * How a child tells the zygote about its way to execve, through a pipe that execve closes. What the zygote has read at the
 * end of the pipe decides: READY alone, the program runs; a failure; or nothing, when the child was killed on its way, as
 * by a memory limit that is too small for it.
 */
export interface Failure {
  operation: string;
  object: string;
  errno: string;
}

/** The child's end of the pipe, when the program gets the standard streams alone. */
export const STATUS_FD = 3;

/** Of this process, once it is a child: behind the descriptors that its program gets. */
let statusFd = STATUS_FD;

/**
 * Gives the pipe its number. Whatever the zygote had there is of no use to the child.
 *
 * @param preserved how many descriptors after the standard streams the program gets
 */
export function openReport(sys: Sys, pipe: number, preserved: number): void {
  statusFd = STATUS_FD + preserved;
  if (pipe !== statusFd) sys.dup3(pipe, statusFd, O_CLOEXEC);
}

/** All but execve is done. JSON may begin with this newline. */
export const announceReady = (sys: Sys) => sys.write(statusFd, READY);

/** Not a system call that failed means an `init` that is not as protocol.ts has it. */
export function reportFailure(sys: Sys, error: unknown): void {
  const failure: Failure =
    error instanceof SystemError
      ? { operation: error.operation, object: error.object, errno: error.errno }
      : { operation: 'initialize', object: error instanceof Error ? error.message : String(error), errno: 'EINVAL' };
  sys.write(statusFd, Buffer.from(JSON.stringify({ ...failure, object: failure.object.slice(0, OBJECT_LIMIT) })));
}

/** @param text all that came through the pipe */
export function parseReport(text: string): 'ready' | 'silent' | Failure {
  if (text === '') return 'silent';
  if (text === READY_TEXT) return 'ready';
  return JSON.parse(text) as Failure;
}

const READY_TEXT = '\n';
const READY = Buffer.from(READY_TEXT);
/** With it a report fits into the pipe at once: pipe(7), PIPE_BUF. */
const OBJECT_LIMIT = 1024;
