import { conflict } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { findRunning } from './container.ts';
import { thaw } from './pause.ts';
import { signalContainer, signalNumber } from './signals.ts';
import { requestStop } from './stop.ts';

/**
 * As with docker, SIGKILL or the stop signal by hand is a stop: the restart policy leaves the container alone, and a paused
 * one is resumed. It gets any other signal when it is resumed.
 */
export async function killContainer(runtime: Runtime, id: string, name: string): Promise<void> {
  const signal = signalNumber(name);
  const { inTurn } = findRunning(runtime, id);
  await runtime.zygote.ready();
  await inTurn(async () => {
    const container = findRunning(runtime, id);
    if (name === 'SIGKILL' || name === container.spec.stopSignal) {
      requestStop(runtime, container);
      thaw(runtime, container);
    }
    if (!(await signalContainer(runtime, container, signal)))
      throw conflict(`kill container \`${id}\`: it is not running`);
  });
}
