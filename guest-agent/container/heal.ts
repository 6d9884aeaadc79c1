import type { Runtime } from '../runtime.ts';
import { type Container, isRunning, type Run, whenState } from './container.ts';
import { thaw } from './pause.ts';
import { restartDelay } from './restart-policy.ts';
import { signalContainer, signalNumber } from './signals.ts';

/**
 * Ends a container that has become unhealthy, as a stop does. It is started again: exit.ts sees by its health why it ended.
 * One whose restart policy has no attempts left goes on as it is.
 */
export async function healContainer(runtime: Runtime, container: Container, run: Run): Promise<void> {
  const { restart, stopSignal, stopSeconds } = container.spec;
  const { restarts, startedAt } = container.state;
  const end = { exitCode: 1, restarts, ranFor: runtime.clock.now() - startedAt, lastDelay: 0, unhealthy: true };
  if (restartDelay(restart, end) === undefined) return;
  await container.inTurn(async () => {
    if (container.run !== run || container.stopRequested || !isRunning(container)) return;
    thaw(runtime, container);
    await signalContainer(runtime, container, signalNumber(stopSignal));
  });
  const grace = new AbortController();
  const cancel = runtime.clock.after(Math.min(stopSeconds * 1000, LONGEST_TIMER), () => grace.abort());
  await whenState(runtime, container, () => container.run !== run, grace.signal);
  cancel();
  if (container.run === run) runtime.kernel.killCgroup(run.cgroup);
}

/** Milliseconds; Node takes a longer timer for none. */
const LONGEST_TIMER = 2 ** 31 - 1;
