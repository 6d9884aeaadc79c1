import type { ContainerSpec } from '../api.ts';
import { conflict } from '../errors.ts';
import { containerFolders } from '../folders.ts';
import { writeEtcFiles } from '../network/etc-files.ts';
import type { Runtime } from '../runtime.ts';
import { type Container, keepSpec, openContainer } from './container.ts';
import { signalNumber } from './signals.ts';
import { limitStorage } from './storage-limit.ts';
import { makeFolders, newContainer } from './store.ts';

/** The same id and spec again is the container that exists. Folders come with it; FIFOs and cgroup with each start. */
export function createContainer(runtime: Runtime, spec: ContainerSpec): { container: Container; created: boolean } {
  const { container, created } = admitContainer(runtime, spec);
  keepSpec(runtime, container);
  return { container, created };
}

/** The same for one that is started at once: its start writes the specification, while the zygote works. */
export function admitContainer(runtime: Runtime, spec: ContainerSpec): { container: Container; created: boolean } {
  const existing = runtime.containers.get(spec.id);
  if (existing !== undefined) {
    if (JSON.stringify(existing.spec) === JSON.stringify(spec)) return { container: existing, created: false };
    throw conflict(`create container \`${spec.id}\`: one with this id and another spec exists`);
  }
  signalNumber(spec.stopSignal);
  runtime.layers.names(spec.layers);
  using undo = new DisposableStack();
  undo.defer(() => runtime.networks.left(spec));
  const addresses = runtime.networks.admit(spec);
  makeFolders(runtime.folders, spec.id);
  if (spec.network !== undefined) writeEtcFiles(containerFolders(runtime.folders, spec.id).etc, spec, addresses);
  limitStorage(runtime, spec);
  const container = openContainer(runtime, newContainer({ spec, createdAt: runtime.clock.now(), addresses }));
  undo.move();
  container.unsaved = true;
  runtime.changes.publish({ type: 'state', state: container.state });
  return { container, created: true };
}
