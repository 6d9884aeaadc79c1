import { report } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import type { Exit } from '../zygote/protocol.ts';
import { type Container, setState } from './container.ts';
import { restartDelay } from './restart-policy.ts';
import { closeRun } from './run.ts';
import { removeSlot } from './slots.ts';
import { launch } from './start.ts';

/**
 * Records how the container's process ended, then gives back what it held. Runs in the container's turn. The zygote
 * forgets the process last: an agent that is killed in between meets the same exit again.
 */
export function recordExit(runtime: Runtime, container: Container, exit: Exit): void {
  const { run, spec } = container;
  if (run === undefined) {
    runtime.zygote.forget(spec.id);
    return;
  }
  closeRun(container, run);
  container.run = undefined;
  settle(runtime, container, {
    exitCode: exitCodeOf(exit),
    oomKilled: wasKilled(exit) && runtime.kernel.oomKillCount(run.cgroup) > 0,
    finishedAt: exit.at,
    error: '',
  });
  runtime.zygote.forget(spec.id);
  removeSlot(runtime, run.cgroup);
}

/**
 * Nobody can tell any more how the process ends, or ended: only its parent can. When the zygote died its containers are
 * ended with it; when the guest was restarted they are gone, and their cgroups are.
 */
export function recordLoss(runtime: Runtime, container: Container): void {
  const { run, spec, cgroup } = container;
  const orphaned = cgroup !== '' && runtime.kernel.cgroups().includes(cgroup);
  if (orphaned) runtime.kernel.killCgroup(cgroup);
  if (run !== undefined) closeRun(container, run);
  container.run = undefined;
  const cause = orphaned ? 'the zygote, its parent, died, and it was ended' : 'it is gone, the guest was restarted';
  const error = `wait for container \`${spec.id}\`: ${cause}`;
  settle(runtime, container, { exitCode: 255, oomKilled: false, finishedAt: runtime.clock.now(), error });
  if (cgroup !== '') removeSlot(runtime, cgroup);
}

/** Restarts the container after `delay` milliseconds; a start or stop by the user comes before that. */
export function restartAfter(runtime: Runtime, container: Container, delay: number): void {
  container.cancelRestart();
  container.restartDelay = delay;
  container.cancelRestart = runtime.clock.after(delay, () => {
    runtime.zygote
      .ready()
      .then(() =>
        container.inTurn(() =>
          container.state.status === 'restarting'
            ? launch(runtime, container, container.state.restarts + 1)
            : undefined,
        ),
      )
      .catch((error: unknown) => {
        report(`restart container \`${container.spec.id}\``, error);
        if (container.state.status === 'restarting') restartAfter(runtime, container, delay);
      });
  });
}

/** 128 + signal when a signal ended it, as shells count. */
export const exitCodeOf = ({ code, signal }: Exit) => code ?? 128 + (signal ?? 0);

function settle(
  runtime: Runtime,
  container: Container,
  end: { exitCode: number; oomKilled: boolean; finishedAt: number; error: string },
): void {
  const { startedAt, restarts } = container.state;
  const lastDelay = container.restartDelay;
  const unhealthy = container.state.health === 'unhealthy';
  const ended = { exitCode: end.exitCode, restarts, ranFor: end.finishedAt - startedAt, lastDelay, unhealthy };
  const delay = container.stopRequested ? undefined : restartDelay(container.spec.restart, ended);
  setState(runtime, container, {
    ...end,
    status: delay === undefined ? 'exited' : 'restarting',
    paused: false,
    health: 'none',
    pid: 0,
  });
  if (delay !== undefined) restartAfter(runtime, container, delay);
}

/** By SIGKILL itself, or by a shell that passes on the end of its last command. */
const wasKilled = ({ code, signal }: Exit) => signal === SIGKILL || code === 128 + SIGKILL;

const SIGKILL = 9;
