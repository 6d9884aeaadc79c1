import type { ContainerState } from '../api.ts';
import { conflict } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { type Container, isRunning, setState } from './container.ts';

/** Every process stands still until it is resumed, or killed. Pausing a paused container succeeds. */
export function pauseContainer(runtime: Runtime, container: Container): Promise<ContainerState> {
  return container.inTurn(() => {
    const { id } = container.spec;
    if (!isRunning(container)) throw conflict(`pause container \`${id}\`: it is not running`);
    if (container.state.paused) return container.state;
    // Recorded last: a restarted agent asks the kernel, see reconcile.ts.
    if (!runtime.kernel.freezeCgroup(container.run.cgroup)) {
      runtime.kernel.thawCgroup(container.run.cgroup);
      throw conflict(
        `pause container \`${id}\`: a process does not come to a stand, it waits for a device or the network`,
      );
    }
    return setState(runtime, container, { paused: true });
  });
}

/** Resuming a running container succeeds. */
export function resumeContainer(runtime: Runtime, container: Container): Promise<ContainerState> {
  return container.inTurn(() => {
    if (!isRunning(container)) throw conflict(`resume container \`${container.spec.id}\`: it is not running`);
    return thaw(runtime, container);
  });
}

/** Lets a running container go on, so that it can take a signal. Runs in its turn. */
export function thaw(runtime: Runtime, container: Container): ContainerState {
  if (!isRunning(container) || !container.state.paused) return container.state;
  runtime.kernel.thawCgroup(container.run.cgroup);
  return setState(runtime, container, { paused: false });
}
