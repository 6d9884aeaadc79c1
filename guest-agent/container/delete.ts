import { existsSync } from 'node:fs';
import * as v from 'valibot';
import { ContainerId } from '../api.ts';
import { conflict } from '../errors.ts';
import { containerFolders } from '../folders.ts';
import type { Runtime } from '../runtime.ts';
import { removeExec } from './exec.ts';
import { removeTree } from './remove-tree.ts';
import { killNow } from './stop.ts';
import { markRemoved } from './store.ts';

/** Deleting an absent container succeeds. Files are deleted last: an interrupted delete goes on when the agent starts. */
export async function deleteContainer(runtime: Runtime, id: string, force: boolean): Promise<void> {
  const container = runtime.containers.get(id);
  if (container === undefined) return removeUnborn(runtime, id);
  if (force) await killNow(runtime, container);
  const gone = await container.inTurn(() => {
    const { status } = container.state;
    if (status === 'running' || status === 'restarting')
      throw conflict(`delete container \`${id}\`: it is ${status}, stop it first or force the deletion`);
    const path = markRemoved(runtime.folders, id);
    container.log.close();
    container.removed = true;
    runtime.containers.delete(id);
    runtime.networks.left(container.spec);
    runtime.changes.publish({ type: 'removed', id });
    return path;
  });
  for (const exec of [...runtime.execs.values()]) if (exec.container === id) removeExec(runtime, exec);
  await removeTree(gone);
}

/** What was sent for a container that did not come to be. */
async function removeUnborn({ folders }: Runtime, id: string): Promise<void> {
  if (v.is(ContainerId, id) && existsSync(containerFolders(folders, id).state))
    await removeTree(markRemoved(folders, id));
}
