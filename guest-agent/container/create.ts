import type { ContainerSpec } from '../api.ts';
import { conflict } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { type Container, openContainer } from './container.ts';
import { signalNumber } from './signals.ts';
import { newContainer, saveNew } from './store.ts';

/** The same id and spec again is the container that exists. Folders come with it; FIFOs and cgroup with each start. */
export function createContainer(runtime: Runtime, spec: ContainerSpec): { container: Container; created: boolean } {
  const existing = runtime.containers.get(spec.id);
  if (existing !== undefined) {
    if (JSON.stringify(existing.spec) === JSON.stringify(spec)) return { container: existing, created: false };
    throw conflict(`create container \`${spec.id}\`: one with this id and another spec exists`);
  }
  signalNumber(spec.stopSignal);
  runtime.layers.names(spec.layers);
  const stored = newContainer(spec, runtime.clock.now());
  saveNew(runtime.folders, stored);
  const container = openContainer(runtime, stored);
  runtime.changes.publish({ type: 'state', state: container.state });
  return { container, created: true };
}
