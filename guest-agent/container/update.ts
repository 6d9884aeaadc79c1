import type { ContainerRecord, ContainerUpdate, Limits } from '../api.ts';
import { invalid, RequestError } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { type Container, isRunning, recordOf } from './container.ts';
import { saveSpec } from './store.ts';

/**
 * Changes limits and restart policy, of a running container at once. The cgroup comes first, the disk last: what an agent
 * that is killed in between leaves is what asking again gives.
 */
export function updateContainer(
  runtime: Runtime,
  container: Container,
  { limits = container.spec.limits, restart = container.spec.restart }: ContainerUpdate,
): Promise<ContainerRecord> {
  return container.inTurn(() => {
    if (isRunning(container)) limit(runtime, container.run.cgroup, container, limits);
    const spec = { ...container.spec, limits, restart };
    saveSpec(runtime.folders, spec, container.state.createdAt);
    container.spec = spec;
    return recordOf(container);
  });
}

/** What was written before a refused value is taken back as far as there was a limit before. */
function limit(runtime: Runtime, cgroup: string, { spec }: Container, limits: Limits): void {
  try {
    runtime.kernel.applyLimits(cgroup, limits);
  } catch (error) {
    runtime.kernel.applyLimits(cgroup, spec.limits);
    throw error instanceof RequestError ? invalid(`update container \`${spec.id}\`: ${error.message}`) : error;
  }
}
