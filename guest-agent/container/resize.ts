import type { TerminalSize } from '../api.ts';
import { conflict } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { findRunning } from './container.ts';
import { findExec } from './exec.ts';

/** The programs in it are told with SIGWINCH. */
export function resizeContainer(runtime: Runtime, id: string, size: TerminalSize): void {
  resize(runtime, `container \`${id}\``, findRunning(runtime, id).run.terminal, size);
}

export function resizeExec(runtime: Runtime, id: string, size: TerminalSize): void {
  resize(runtime, `exec \`${id}\``, findExec(runtime, id).output?.terminal, size);
}

function resize(runtime: Runtime, whose: string, terminal: number | undefined, size: TerminalSize): void {
  if (terminal === undefined) throw conflict(`resize the terminal of ${whose}: it has none`);
  runtime.kernel.resizeTerminal(terminal, size);
}
