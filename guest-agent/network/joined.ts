import { closeSync } from 'node:fs';
import type { ContainerSpec } from '../api.ts';
import { findRunning } from '../container/container.ts';
import { checkRunning } from '../container/signals.ts';
import { containerFolders, type Folders } from '../folders.ts';
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

/** The folder of a container's own files in /etc: with a shared network those of the container that has it. */
export function etcFolder(folders: Folders, { id, network }: ContainerSpec): string {
  return containerFolders(folders, network?.mode === 'container' ? network.container : id).etc;
}
