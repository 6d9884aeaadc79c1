import type { ContainerState } from '../api.ts';
import type { Runtime } from '../runtime.ts';
import { type Container, isRunning, keepState, type Run, setState, whenState } from './container.ts';
import { thaw } from './pause.ts';
import { signalContainer, signalNumber } from './signals.ts';

/**
 * Sends the stop signal and kills what is left after the grace period. A paused container is resumed for it. Stopping a
 * stopped container succeeds.
 */
export async function stopContainer(
  runtime: Runtime,
  container: Container,
  seconds = container.spec.stopSeconds,
): Promise<ContainerState> {
  await runtime.zygote.ready();
  const run = await container.inTurn(async () => {
    requestStop(runtime, container);
    thaw(runtime, container);
    if (isRunning(container)) await signalContainer(runtime, container, signalNumber(container.spec.stopSignal));
    return container.run;
  });
  if (run === undefined) return container.state;
  const grace = new AbortController();
  const cancel = runtime.clock.after(Math.min(seconds * 1000, LONGEST_TIMER), () => grace.abort());
  await whenState(runtime, container, () => container.run !== run, grace.signal);
  cancel();
  return endRun(runtime, container, run);
}

/** Kills whatever runs, without a grace period. */
export async function killNow(runtime: Runtime, container: Container): Promise<void> {
  const run = await container.inTurn(() => {
    requestStop(runtime, container);
    return container.run;
  });
  if (run !== undefined) await endRun(runtime, container, run);
}

/** No restart policy brings the container back from here on, also when the agent is restarted. */
export function requestStop(runtime: Runtime, container: Container): void {
  container.stopRequested = true;
  container.cancelRestart();
  if (container.state.status === 'restarting') setState(runtime, container, { status: 'exited' });
  else keepState(runtime, container, {});
}

function endRun(runtime: Runtime, container: Container, run: Run): Promise<ContainerState> {
  const ended = () => container.run !== run;
  if (!ended()) runtime.kernel.killCgroup(run.cgroup);
  return whenState(runtime, container, ended);
}

/** Milliseconds; Node takes a longer timer for none. */
const LONGEST_TIMER = 2 ** 31 - 1;
