import type { Writable } from 'node:stream';
import type { ContainerRecord, ContainerSpec, ContainerState } from '../api.ts';
import { conflict, notFound } from '../errors.ts';
import { containerFolders } from '../folders.ts';
import type { Runtime } from '../runtime.ts';
import { type LogFile, openLog } from '../stdio/log-file.ts';
import { serialQueue } from './queue.ts';
import type { SlotOutput } from './slots.ts';
import { saveSpec, saveState, type StoredContainer, type StoredSpec } from './store.ts';

/** A container as the agent holds it. Its verbs run in turn; those of different containers side by side. */
export interface Container {
  /** Changes with an update. */
  spec: ContainerSpec;
  state: ContainerState;
  /** A user asked for its end: its restart policy does nothing until it is started again. */
  stopRequested: boolean;
  /** Folder of its latest cgroup; '' when it never ran. */
  cgroup: string;
  /** Its specification is not on disk yet. */
  unsaved: boolean;
  readonly inTurn: ReturnType<typeof serialQueue>;
  readonly log: LogFile;
  /** While its process runs. */
  run: Run | undefined;
  /** Milliseconds that the last automatic restart waited. */
  restartDelay: number;
  cancelRestart: () => void;
  removed: boolean;
}

/** What the agent holds open for a running process. */
export interface Run {
  cgroup: string;
  outputs: SlotOutput[];
  stdin: Writable | undefined;
  /** Descriptor of its terminal's other end. */
  terminal: number | undefined;
  /** Descriptor of its network namespace, once it was needed. */
  network: number | undefined;
}

export function openContainer(runtime: Runtime, { spec, ...stored }: StoredContainer): Container {
  const container: Container = {
    spec,
    ...stored,
    inTurn: serialQueue(),
    log: openLog(containerFolders(runtime.folders, spec.id).log, spec.log),
    run: undefined,
    restartDelay: 0,
    cancelRestart: () => {},
    removed: false,
    unsaved: false,
  };
  runtime.containers.set(spec.id, container);
  return container;
}

export function findContainer(runtime: Runtime, id: string): Container {
  const container = runtime.containers.get(id);
  if (container === undefined) throw notFound(`find container \`${id}\`: there is none with this id`);
  return container;
}

export function findRunning(runtime: Runtime, id: string): Container & { run: Run } {
  const container = findContainer(runtime, id);
  if (!isRunning(container)) throw conflict(`use container \`${id}\`: it is not running`);
  return container;
}

export function isRunning(container: Container): container is Container & { run: Run } {
  return container.run !== undefined;
}

export const recordOf = ({ spec, state }: Container): ContainerRecord => ({ spec, state });

/** How a state changes: on disk first, then told to everyone. */
export function setState(runtime: Runtime, container: Container, change: Partial<ContainerState>): ContainerState {
  keepState(runtime, container, change);
  return tellState(runtime, container, change);
}

export function storedSpec({ spec, state: { createdAt, addresses = {} } }: Container): StoredSpec {
  return { spec, createdAt, addresses };
}

/** Writes the specification of a new container, which is one on disk from then on. */
export function keepSpec(runtime: Runtime, container: Container): void {
  if (container.unsaved) saveSpec(runtime.folders, storedSpec(container));
  container.unsaved = false;
}

/** The half that is on disk, of a change that may still fail. */
export function keepState(runtime: Runtime, container: Container, change: Partial<ContainerState>): void {
  keepSpec(runtime, container);
  const { state, stopRequested, cgroup } = container;
  saveState(runtime.folders, { state: { ...state, ...change }, stopRequested, cgroup });
}

export function tellState(runtime: Runtime, container: Container, change: Partial<ContainerState>): ContainerState {
  container.state = { ...container.state, ...change };
  runtime.changes.publish({ type: 'state', state: container.state });
  return container.state;
}

/** Resolves with the state once it is as `wanted`, the container is removed, or `signal` is aborted. */
export async function whenState(
  runtime: Runtime,
  container: Container,
  wanted: (state: ContainerState) => boolean,
  signal?: AbortSignal,
): Promise<ContainerState> {
  const done = Promise.withResolvers<void>();
  const check = () => {
    if (container.removed || wanted(container.state) || signal?.aborted === true) done.resolve();
  };
  const unsubscribe = runtime.changes.subscribe(check);
  signal?.addEventListener('abort', check);
  check();
  await done.promise;
  unsubscribe();
  signal?.removeEventListener('abort', check);
  return container.state;
}
