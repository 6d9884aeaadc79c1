import { constants } from 'node:os';
import { NestError } from '../../errors.ts';

/** A signal by any of Docker's spellings ("KILL", "sigkill", "9") as SIGKILL. @throws NestError `invalid-input`. */
export function signalName(signal: string): string {
  const byNumber = /^\d+$/.test(signal)
    ? Object.entries(constants.signals).find(([, number]) => number === Number(signal))?.[0]
    : undefined;
  const name = byNumber ?? `SIG${signal.toUpperCase().replace(/^SIG/, '')}`;
  if (name in constants.signals || REALTIME.test(name)) return name;
  throw new NestError('invalid-input', `invalid signal: ${signal.slice(0, 32)}`, { hint: 'for example SIGTERM or 15' });
}

const REALTIME = /^SIGRTM(IN(\+\d{1,2})?|AX(-\d{1,2})?)$/;
