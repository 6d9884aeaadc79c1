import { removeContainer } from '../containers/remove.ts';
import type { CacheEntry } from '../../images/images.ts';
import type { Context } from '../context.ts';
import type { Call, Reply, Route } from '../http/route.ts';
import { containerSummary } from './container-json.ts';
import { dockerState } from './container-status.ts';
import { seeGuests } from './find.ts';
import { imageSummary } from './image-json.ts';
import { volumeJson } from './volume-json.ts';
import { filters, matchesLabels, untilOf } from './query.ts';

/** What takes disk space, in Docker's shapes; what nest has besides is in /nest/disk. */
export function diskRoutes(ctx: Context): Route[] {
  return [
    { method: 'GET', path: '/system/df', handle: () => usage(ctx) },
    { method: 'POST', path: '/containers/prune', handle: (call) => pruneContainers(ctx, call) },
  ];
}

async function usage(ctx: Context): Promise<Reply> {
  const containers = ctx.state.containers.all();
  const images = await ctx.images.list();
  const users = (id: string) => containers.filter(({ record }) => record.image.id === id).length;
  const json = {
    LayersSize: ctx.images.reclaimable(new Set(images.map(({ id }) => id))),
    Images: images.map((image) => imageSummary(image, users(image.id))),
    Containers: containers.map((container) => containerSummary(ctx, container)),
    Volumes: await Promise.all(ctx.volumes.store.list().map((volume) => volumeJson(ctx, volume))),
    BuildCache: ctx.images.cachedSteps().map(cacheRecord),
  };
  return { status: 200, json };
}

/** `BuildCache` of the API's SystemDataUsage. */
function cacheRecord({ key, created, shared, layer }: CacheEntry): Record<string, unknown> {
  const times = { CreatedAt: created, LastUsedAt: null, UsageCount: 0 };
  const size = { Shared: shared, Size: layer?.size ?? 0 };
  return { ID: key, Parents: [], Type: 'regular', Description: '', InUse: false, ...size, ...times };
}

/** Removes stopped containers. What they had written is on their guests' disks, which shrink by themselves. */
async function pruneContainers(ctx: Context, { query }: Call): Promise<Reply> {
  const wanted = filters(query, ['until', 'label']);
  const until = untilOf(wanted);
  await seeGuests(ctx);
  const stopped = ctx.state.containers
    .all()
    .filter((container) => ['created', 'exited', 'dead'].includes(dockerState(ctx, container)))
    .filter(({ phase, record }) => phase === 'created' && record.createdAt < until)
    .filter(({ record }) => matchesLabels(record.labels, wanted.get('label')));
  for (const container of stopped) await removeContainer(ctx, container, false);
  return { status: 200, json: { ContainersDeleted: stopped.map(({ record }) => record.id), SpaceReclaimed: 0 } };
}
