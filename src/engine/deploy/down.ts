import type { DownResult } from '../../api.ts';
import type { Progress } from '../../progress.ts';
import { removeContainer } from '../containers/remove.ts';
import { stopContainer } from '../containers/stop.ts';
import type { Context } from '../context.ts';
import { seeGuests } from '../docker-api/find.ts';
import { forgetVolumes } from '../volumes/service.ts';
import { removeProjectNetworks } from './networks.ts';
import { removeProjectVolumes } from './volumes.ts';
import { projectContainers } from './project-containers.ts';

/**
 * Stops and removes a project's containers, then its networks and the guests that held nothing else, and its volumes
 * where that is asked for. Nothing there is success.
 */
export async function takeDown(
  ctx: Context,
  project: string,
  progress: Progress,
  withVolumes = false,
): Promise<DownResult> {
  await seeGuests(ctx);
  return ctx.projects(project, async () => {
    const containers = projectContainers(ctx, project);
    const guestIds = new Set(containers.flatMap(({ guest }) => guest ?? []));
    await Promise.all(
      containers.map((container) =>
        progress.step(`Removing ${container.record.name}`, async () => {
          await stopContainer(ctx, container);
          const stopped = ctx.state.containers.get(container.record.id);
          if (stopped !== undefined) await removeContainer(ctx, stopped, true, withVolumes);
        }),
      ),
    );
    const guests = await removeEmptyGuests(ctx, guestIds, progress);
    const volumes = withVolumes ? await removeProjectVolumes(ctx, project, progress) : [];
    if (!withVolumes) await forgetVolumes(ctx, project);
    const networks = removeProjectNetworks(ctx, project);
    return { project, removed: containers.map(({ record }) => record.name), guests, volumes, networks };
  });
}

/** @returns the names of those that were empty. */
export async function removeEmptyGuests(ctx: Context, ids: Iterable<string>, progress: Progress): Promise<string[]> {
  const removed: string[] = [];
  for (const id of ids) {
    const guest = ctx.link.current()?.get(id);
    if (guest === undefined || !ctx.idle.isEmpty(id)) continue;
    if (await progress.step(`Removing guest ${guest.name}`, () => ctx.idle.removeIfEmpty(id))) removed.push(guest.name);
  }
  return removed;
}
