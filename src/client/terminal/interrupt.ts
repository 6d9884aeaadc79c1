import { constants } from 'node:os';
import { NestError } from '../../errors.ts';

/** A command was ended by a signal: its exit status is 128 + the signal's number, as a shell reports it. */
export class Interrupted extends NestError {
  readonly signal: NodeJS.Signals;
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super('cancelled', `cancelled by ${signal}`);
    this.signal = signal;
    this.exitCode = 128 + constants.signals[signal];
  }
}

export interface Interruption extends Disposable {
  signal: AbortSignal;
}

/**
 * A signal that SIGINT and SIGTERM abort. Each is caught once: the second ends the process at once, whatever it waits
 * for.
 */
export function interruption(): Interruption {
  const controller = new AbortController();
  const listeners = SIGNALS.map((signal) => {
    const listener = () => controller.abort(new Interrupted(signal));
    process.once(signal, listener);
    return { signal, listener };
  });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const { signal, listener } of listeners) process.off(signal, listener);
    },
  };
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
