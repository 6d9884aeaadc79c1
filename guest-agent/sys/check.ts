import { lastErrno } from './ffi.ts';
import { SystemError } from './system-error.ts';

/** The result of a system call made on `object`, or its failure as an error. */
export function check(result: number, operation: string, object: string | number): number {
  if (result < 0) throw new SystemError(operation, String(object), lastErrno());
  return result;
}

/** Repeats `call` while a signal interrupts it; `null` when it would block on a non-blocking descriptor. */
export function checkTransfer(call: () => number, operation: string, object: string | number): number | null {
  for (;;) {
    const result = call();
    if (result >= 0) return result;
    const code = lastErrno();
    if (code === EAGAIN) return null;
    if (code !== EINTR) throw new SystemError(operation, String(object), code);
  }
}

const EINTR = 4;
const EAGAIN = 11;
