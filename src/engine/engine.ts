import { chmod, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Images } from '../images/images.ts';
import { publishedPorts } from '../network/published-ports.ts';
import type { Paths } from '../paths.ts';
import type { Guests } from '../vm/guests.ts';
import { openVolumeStore, type VolumeStore } from '../volumes/store.ts';
import { isAnonymous } from '../volumes/volume.ts';
import { agentOf } from './containers/agent.ts';
import { countStreams } from './containers/streams.ts';
import type { Context } from './context.ts';
import { projectLock } from './deploy/project-containers.ts';
import { containerRoutes } from './docker-api/containers.ts';
import { controlRoutes } from './docker-api/control.ts';
import { diskRoutes } from './docker-api/disk.ts';
import { commitRoutes } from './docker-api/commit.ts';
import { dockerBuildRoutes } from './docker-api/build.ts';
import { eventRoutes } from './docker-api/events.ts';
import { execRoutes } from './docker-api/exec.ts';
import { fileRoutes } from './docker-api/files.ts';
import { imageTransferRoutes } from './docker-api/image-transfer.ts';
import { imageRoutes } from './docker-api/images.ts';
import { networkRoutes } from './docker-api/networks.ts';
import { streamRoutes } from './docker-api/streams.ts';
import { systemRoutes } from './docker-api/system.ts';
import { usageRoutes } from './docker-api/usage.ts';
import { volumeRoutes } from './docker-api/volumes.ts';
import { createEvents } from './events.ts';
import { healContainers } from './guests/heal.ts';
import { idleGuests } from './guests/idle.ts';
import { unusedLayers } from './guests/layers.ts';
import { guestLink } from './guests/link.ts';
import { removeGuest } from './guests/remove.ts';
import { createSeats, type HostCapacity } from './guests/seats.ts';
import { watchGuests } from './guests/watch.ts';
import { createRouter } from './http/router.ts';
import { createApiServer, type ApiServer } from './http/server.ts';
import { trackWork } from './http/work.ts';
import { buildRoutes } from './nest-api/builds.ts';
import type { GuestImages } from './nest-api/guest-images.ts';
import { nestRoutes } from './nest-api/routes.ts';
import { loadInstance, type Instance } from './state/instance.ts';
import { openState, type State } from './state/state.ts';
import { hostVolumes } from './volumes/volumes.ts';
import { zoneProgress } from './zone-progress.ts';

/** The rooms that the engine directs, and what is particular to this host. */
export interface EngineParts {
  paths: Paths;
  version: string;
  /** Of libvirt; for status. */
  uri: string;
  /** Called once the lock is held. */
  openImages: () => Promise<Images>;
  guestImages: GuestImages;
  /** @param instance marks the domains of this engine. */
  connect: (instance: string) => Promise<Guests>;
  host: HostCapacity;
  idleMilliseconds: number;
  log: (message: string) => void;
  /** A client asked for the end. */
  onStopRequest: () => void;
}

export interface Engine {
  /** Ends the engine: guests and containers go on. */
  close(): Promise<void>;
}

/**
 * Boot order: folders, the state with its lock, what an earlier run left, the socket, and last libvirt, which may be
 * absent.
 *
 * @throws NestError `conflict` when another engine runs on the same data.
 */
export async function startEngine(parts: EngineParts): Promise<Engine> {
  const { paths, log } = parts;
  await makeFolders(paths);
  const state = openState(paths.stateDatabase);
  try {
    const volumes = await openVolumeStore(paths, log);
    const ctx = createContext(parts, state, await loadInstance(paths.data), await parts.openImages(), volumes);
    await forgetUnplaced(ctx);
    for (const folder of [uploadsFolder(paths), paths.buildFiles]) await rm(folder, { recursive: true, force: true });
    const server = createApiServer(createRouter(routes(ctx, parts)), ctx.work, log);
    await server.listen(paths.engineSocket);
    ctx.link.open().catch((error: unknown) => log(`connect to \`${parts.uri}\`: ${(error as Error).message}`));
    return { close: () => closeEngine(ctx, server) };
  } catch (error) {
    state.close();
    throw error;
  }
}

/** The parts know each other through the context, so it is filled in two steps. */
function createContext(
  parts: EngineParts,
  state: State,
  instance: Instance,
  images: Images,
  volumes: VolumeStore,
): Context {
  const ctx = {
    state,
    instance,
    images,
    events: createEvents(),
    streams: countStreams(),
    progress: zoneProgress(),
    work: trackWork(),
    projects: projectLock(),
    creating: new Set<string>(),
    leaving: new Set<string>(),
    log: parts.log,
  } as Context;
  ctx.watch = watchGuests(ctx);
  ctx.link = guestLink(
    () => parts.connect(instance.id),
    (guests) => ctx.watch.begin(guests),
  );
  ctx.seats = createSeats(ctx, parts.host);
  ctx.idle = idleGuests(ctx, parts.idleMilliseconds, async (id) => removeGuest(ctx, await ctx.link.open(), id));
  ctx.heal = healContainers(ctx);
  ctx.volumes = hostVolumes(ctx, volumes, Math.min(parts.idleMilliseconds, UNUSED_MILLISECONDS));
  ctx.unusedLayers = unusedLayers(ctx, Math.min(parts.idleMilliseconds, UNUSED_MILLISECONDS));
  ctx.ports = publishedPorts(async (containerId, port) => {
    const agent = await agentOf(ctx, ctx.state.containers.find(containerId));
    return agent.open({ method: 'POST', path: `/v1/containers/${containerId}/ports/${port}` });
  });
  return ctx;
}

function routes(ctx: Context, { paths, version, uri, guestImages, host, onStopRequest }: EngineParts) {
  const startedAt = Date.now();
  const status = () => ({
    version,
    pid: process.pid,
    startedAt,
    uri,
    dataDirectory: paths.data,
    guests: ctx.link.current()?.list().length ?? 0,
    containers: ctx.state.containers.all().length,
  });
  return [
    ...containerRoutes(ctx),
    ...controlRoutes(ctx),
    ...usageRoutes(ctx),
    ...fileRoutes(ctx),
    ...commitRoutes(ctx),
    ...dockerBuildRoutes(ctx, paths.buildFiles),
    ...buildRoutes(ctx, paths.buildFiles),
    ...streamRoutes(ctx),
    ...execRoutes(ctx),
    ...networkRoutes(ctx),
    ...imageTransferRoutes(ctx, uploadsFolder(paths)),
    ...imageRoutes(ctx),
    ...volumeRoutes(ctx),
    ...diskRoutes(ctx),
    ...systemRoutes(ctx, version),
    ...eventRoutes(ctx),
    ...nestRoutes(ctx, { paths, guestImages, host, status, stop: onStopRequest }),
  ];
}

/** Rows of creates that an earlier run began and had not placed in a guest. */
async function forgetUnplaced(ctx: Context): Promise<void> {
  for (const container of ctx.state.containers.all().filter(({ guest }) => guest === null)) {
    ctx.state.containers.delete(container.record.id);
    for (const { volume } of container.record.spec.volumes ?? []) {
      const found = ctx.volumes.store.get(volume);
      if (found !== undefined && isAnonymous(found)) await ctx.volumes.store.remove(volume);
    }
  }
}

/** The runtime folder holds the sockets of guests too; root's guests run as another user, who must pass through. */
async function makeFolders(paths: Paths): Promise<void> {
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  for (const folder of [paths.data, paths.runtime]) {
    await mkdir(folder, { recursive: true, mode });
    await chmod(folder, mode);
  }
}

/** Closing the connections cancels what they asked for; what is half done is undone before the guests are let go. */
async function closeEngine(ctx: Context, server: ApiServer): Promise<void> {
  await server.close();
  await ctx.heal.close();
  await ctx.work.ended(UNDO_MILLISECONDS);
  ctx.volumes.close();
  ctx.unusedLayers.close();
  ctx.idle.close();
  ctx.watch.close();
  await ctx.ports.closeAll();
  await ctx.link.close();
  ctx.state.close();
}

/** Where archives are kept on their way in; what a crash left there is of no use. */
function uploadsFolder(paths: Paths): string {
  return path.join(paths.cache, 'uploads');
}

const UNUSED_MILLISECONDS = 10_000;
const UNDO_MILLISECONDS = 20_000;
