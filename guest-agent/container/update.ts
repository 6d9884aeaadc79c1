import type { ContainerRecord, ContainerSpec, ContainerUpdate, Limits } from '../api.ts';
import { invalid, report, RequestError } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { type Container, isRunning, recordOf, storedSpec } from './container.ts';
import { commitSpec, dropSpec, pendingSpec, writeSpec } from './store.ts';

/** Changes limits and restart policy, of a running container at once. */
export function updateContainer(
  runtime: Runtime,
  container: Container,
  { limits = container.spec.limits, restart = container.spec.restart }: ContainerUpdate,
): Promise<ContainerRecord> {
  return container.inTurn(() => {
    const spec = { ...container.spec, limits, restart };
    // Aside, before the cgroup changes: the next agent finishes what this one may be killed in.
    writeSpec(runtime.folders, { ...storedSpec(container), spec });
    change(runtime, container, spec);
    return recordOf(container);
  });
}

/** What an earlier agent was killed in the middle of happens now, unless the kernel refuses it. */
export function finishUpdate(runtime: Runtime, container: Container): void {
  const { id } = container.spec;
  try {
    const spec = pendingSpec(runtime.folders, id);
    if (spec !== undefined) change(runtime, container, spec);
  } catch (error) {
    dropSpec(runtime.folders, id);
    report(`update container \`${id}\``, error);
  }
}

function change(runtime: Runtime, container: Container, spec: ContainerSpec): void {
  try {
    if (isRunning(container)) limit(runtime, container.run.cgroup, container, spec.limits);
  } catch (error) {
    dropSpec(runtime.folders, spec.id);
    throw error;
  }
  commitSpec(runtime.folders, spec.id);
  container.spec = spec;
}

function limit(runtime: Runtime, cgroup: string, { spec }: Container, limits: Limits): void {
  try {
    runtime.kernel.applyLimits(cgroup, limits);
  } catch (error) {
    throw error instanceof RequestError ? invalid(`update container \`${spec.id}\`: ${error.message}`) : error;
  }
}
