import { closeSync } from 'node:fs';
import type { ContainerSpec } from '../api.ts';
import { findRunning } from '../container/container.ts';
import { checkRunning } from '../container/signals.ts';
import { containerFolders } from '../folders.ts';
import type { Runtime } from '../runtime.ts';

/** The network namespace of the container that this one shares it with. */
export interface Joined extends Disposable {
  /** A name of it, until it is disposed of. */
  path: string;
}

/** @throws RequestError 404, 409 when that container does not run */
export async function openJoined(runtime: Runtime, { network }: ContainerSpec): Promise<Joined | undefined> {
  if (network?.mode !== 'container') return undefined;
  const container = findRunning(runtime, network.container);
  const fd = runtime.kernel.openNetwork(container.state.pid);
  try {
    await checkRunning(runtime, container);
    return { path: `/proc/${process.pid}/fd/${fd}`, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * The folder of the files in /etc that a container finds names by: with a shared network those of the container that the
 * network was made for, which may be several joins away. Its own when that one has none, or is gone.
 */
export function etcFolder(
  { folders, containers }: Pick<Runtime, 'folders' | 'containers'>,
  spec: ContainerSpec,
): string {
  const passed = new Set<string>();
  let owner: ContainerSpec | undefined = spec;
  // One that was deleted and made anew may have joined a container that had joined it: a round.
  while (owner?.network?.mode === 'container' && !passed.has(owner.id)) {
    passed.add(owner.id);
    owner = containers.get(owner.network.container)?.spec;
  }
  return containerFolders(folders, owner?.network === undefined ? spec.id : owner.id).etc;
}
