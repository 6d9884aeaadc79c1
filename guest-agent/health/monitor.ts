import { type HealthCheck, type HealthReport, PROBES_KEPT } from '../api.ts';
import { type Container, isRunning, type Run, setState } from '../container/container.ts';
import { healContainer } from '../container/heal.ts';
import { report } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { judge } from './judge.ts';
import { endProbes, probe } from './probe.ts';

/** Probes one run of a container, until it ends. */
export interface Monitor {
  report(): Omit<HealthReport, 'status'>;
  end(): void;
}

/** @param run the one that is probed; the next one gets a monitor of its own */
export function monitorHealth(runtime: Runtime, container: Container, run: Run, check: HealthCheck): Monitor {
  const log: HealthReport['log'] = [];
  let failingStreak = 0;
  let ended = false;
  let cancel = () => {};

  const isCurrent = (): boolean => !ended && container.run === run;
  const isPaused = (): boolean => container.state.paused;
  const isNew = () => container.state.health === 'none' || container.state.health === 'starting';
  const inStartPeriod = () => isNew() && runtime.clock.now() - container.state.startedAt < check.startPeriod;
  const schedule = () => {
    if (!isCurrent()) return;
    cancel = runtime.clock.after(inStartPeriod() ? check.startInterval : check.interval, () => {
      turn().then(schedule, (error: unknown) => report(`probe container \`${container.spec.id}\``, error));
    });
  };
  const turn = async () => {
    // Nobody answers in there.
    if (!isCurrent() || !isRunning(container) || isPaused()) return;
    const result = await probe(runtime, container, check);
    // What a pause or the end of the container did to the probe says nothing about its health.
    if (!isCurrent() || isPaused()) return;
    log.push(result);
    if (log.length > PROBES_KEPT) log.shift();
    const verdict = judge(
      { health: container.state.health, failingStreak },
      { failed: result.exitCode !== 0, excused: inStartPeriod(), retries: check.retries },
    );
    failingStreak = verdict.failingStreak;
    await container.inTurn(() => {
      if (isCurrent() && verdict.health !== container.state.health)
        setState(runtime, container, { health: verdict.health });
    });
    if (isCurrent() && verdict.health === 'unhealthy') await healContainer(runtime, container, run);
  };

  endProbes(runtime, run);
  schedule();
  return {
    report: () => ({ failingStreak, log: [...log] }),
    end() {
      ended = true;
      cancel();
    },
  };
}
