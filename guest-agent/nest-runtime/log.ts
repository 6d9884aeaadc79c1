import { appendFileSync, writeSync } from 'node:fs';
import { RuntimeError } from './errors.ts';
import type { GlobalOptions } from './arguments.ts';

/** To the log file, where who called the program looks for it, and to stderr. */
export function reportError({ log, logFormat }: GlobalOptions, error: unknown): void {
  const message = messageOf(error);
  const line =
    logFormat === 'json'
      ? JSON.stringify({ level: 'error', msg: message, time: new Date().toISOString() })
      : `time="${new Date().toISOString()}" level=error msg=${JSON.stringify(message)}`;
  if (log !== undefined) appendFileSync(log, `${line}\n`);
  writeSync(2, `nest-runtime: ${message}\n`);
  if (!(error instanceof RuntimeError) && process.env['NEST_RUNTIME_TRACE']) console.error(error);
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
