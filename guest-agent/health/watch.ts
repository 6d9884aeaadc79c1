import type { HealthReport } from '../api.ts';
import { type Container, setState } from '../container/container.ts';
import { report } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { type Monitor, monitorHealth } from './monitor.ts';

/**
 * Gives every container that has a health check and runs a monitor, whoever started it: a user, its restart policy, or an
 * agent before this one.
 */
export function watchHealth(runtime: Runtime): void {
  for (const container of runtime.containers.values()) follow(runtime, container);
  runtime.changes.subscribe((change) => {
    const container = change.type === 'state' ? runtime.containers.get(change.state.id) : undefined;
    if (container !== undefined) follow(runtime, container);
  });
}

/** What its latest probes said. */
export function healthReport(container: Container): HealthReport {
  const { log, failingStreak } = monitors.get(container)?.monitor.report() ?? { log: [], failingStreak: 0 };
  return { status: container.state.health, failingStreak, log };
}

function follow(runtime: Runtime, container: Container): void {
  const { run, spec } = container;
  const current = monitors.get(container);
  if (run === undefined || spec.health === undefined || run === current?.run) return;
  current?.monitor.end();
  monitors.set(container, { run, monitor: monitorHealth(runtime, container, run, spec.health) });
  // In a turn of its own: listeners are told of one change after the other.
  container
    .inTurn(() => {
      if (container.run === run && container.state.health === 'none')
        setState(runtime, container, { health: 'starting' });
    })
    .catch((error: unknown) => report(`watch container \`${spec.id}\``, error));
}

const monitors = new WeakMap<Container, { run: object; monitor: Monitor }>();
