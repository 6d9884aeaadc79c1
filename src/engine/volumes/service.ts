import { LABELS } from '../../api.ts';
import { isAnonymous } from '../../volumes/volume.ts';
import type { Context } from '../context.ts';
import { usersOf } from './users.ts';

/** What a nameless volume of a project's service is known by; nothing for that of another container. */
export function serviceLabels(owner: Readonly<Record<string, string>>, destination: string): Record<string, string> {
  const { [LABELS.project]: project, [LABELS.service]: service } = owner;
  if (project === undefined || service === undefined) return {};
  return { [LABELS.project]: project, [LABELS.service]: service, [LABELS.destination]: destination };
}

/**
 * Nameless volumes that a service had and that no container has: a deploy removed its container and was ended before there
 * was another.
 *
 * @returns their names by destination, the newest of each
 */
export function leftVolumes(
  ctx: Context,
  { project, service, zone }: { project: string; service: string; zone: string },
): Record<string, string> {
  return Object.fromEntries(
    ctx.volumes.store
      .list()
      .filter((volume) => isAnonymous(volume) && volume.zone === zone && usersOf(ctx, volume.id).length === 0)
      .filter(({ labels }) => labels[LABELS.project] === project && labels[LABELS.service] === service)
      .sort((a, b) => a.createdAt - b.createdAt)
      .flatMap(({ name, labels: { [LABELS.destination]: destination } }) =>
        destination === undefined ? [] : [[destination, name]],
      ),
  );
}

/**
 * Makes those that no container has like those of any other container that is gone: the next container of the service
 * begins with new ones.
 */
export async function forgetVolumes(ctx: Context, project: string, service?: string): Promise<void> {
  for (const { id, labels } of ctx.volumes.store.list().filter(isAnonymous)) {
    if (labels[LABELS.project] !== project || (service !== undefined && labels[LABELS.service] !== service)) continue;
    if (usersOf(ctx, id).length > 0) continue;
    const others = Object.fromEntries(Object.entries(labels).filter(([label]) => !SERVICE_LABELS.includes(label)));
    await ctx.volumes.inTurn(id, () => ctx.volumes.store.change(id, { labels: others }));
  }
}

const SERVICE_LABELS: string[] = [LABELS.project, LABELS.service, LABELS.destination];
