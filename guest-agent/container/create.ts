import type { ContainerSpec } from '../api.ts';
import { conflict } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { type Container, openContainer } from './container.ts';
import { signalNumber } from './signals.ts';
import { saveNew } from './store.ts';

/** The same id and spec again is the container that exists. Folders come with it; FIFOs and cgroup with each start. */
export function createContainer(runtime: Runtime, spec: ContainerSpec): { container: Container; created: boolean } {
  const existing = runtime.containers.get(spec.id);
  if (existing !== undefined) {
    if (JSON.stringify(existing.spec) === JSON.stringify(spec)) return { container: existing, created: false };
    throw conflict(`create container \`${spec.id}\`: one with this id and another spec exists`);
  }
  signalNumber(spec.stopSignal);
  runtime.layers.names(spec.layers);
  const stored = { spec, state: newState(spec.id, runtime.clock.now()), stopRequested: false };
  saveNew(runtime.folders, stored);
  const container = openContainer(runtime, stored);
  runtime.changes.publish({ type: 'state', state: container.state });
  return { container, created: true };
}

const newState = (id: string, createdAt: number) => ({
  id,
  status: 'created' as const,
  paused: false,
  pid: 0,
  createdAt,
  startedAt: 0,
  finishedAt: 0,
  exitCode: 0,
  oomKilled: false,
  restarts: 0,
  error: '',
});
