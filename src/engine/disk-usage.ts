import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { DiskUsage } from '../api.ts';
import { stackIds } from '../images/stack.ts';
import type { Paths } from '../paths.ts';
import type { Context } from './context.ts';
import { usersOf } from './volumes/users.ts';

/** What nest has on this host's disk, in bytes that the file system gave: holes of thin disks do not count. */
export async function diskUsage(ctx: Context, paths: Paths): Promise<DiskUsage> {
  const images = await ctx.images.list();
  const containers = ctx.state.containers.all();
  const used = new Set(containers.map(({ record }) => record.image.id));
  const unused = images.filter(({ id }) => !used.has(id));
  const layers = new Set(images.filter(({ id }) => used.has(id)).flatMap((image) => stackIds(image.layers)));
  const freeDisks = await Promise.all(
    [...new Set(unused.flatMap((image) => stackIds(image.layers)))]
      .filter((id) => !layers.has(id))
      .map((id) => allocated(ctx.images.diskPath(id))),
  );
  const cache = await cacheUsage(ctx);
  const guests = ctx.link.current()?.list() ?? [];
  const running = guests.filter(({ state }) => state === 'running');
  const volumes = ctx.volumes.store.list();
  const freeVolumes = volumes.filter(({ id }) => usersOf(ctx, id).length === 0);
  const all = { total: 0, active: 0, reclaimable: 0 };
  return [
    {
      type: 'Images',
      total: images.length,
      active: images.length - unused.length,
      size: (await allocated(paths.imageStore)) - cache.blobs,
      reclaimable: ctx.images.reclaimable(new Set(unused.map(({ id }) => id))),
    },
    {
      type: 'Layer disks',
      total: new Set(images.flatMap((image) => stackIds(image.layers))).size,
      active: layers.size,
      size: (await allocated(paths.layers)) - cache.disks,
      reclaimable: freeDisks.reduce((sum, bytes) => sum + bytes, 0),
    },
    {
      type: 'Build cache',
      total: cache.steps,
      active: cache.shared,
      size: cache.blobs + cache.disks,
      reclaimable: cache.blobs + cache.disks,
    },
    {
      type: 'Guests',
      total: guests.length,
      active: running.length,
      size: await allocated(paths.guests),
      reclaimable: 0,
    },
    {
      type: 'Volumes',
      total: volumes.length,
      active: volumes.length - freeVolumes.length,
      size: await allocated(paths.volumes),
      reclaimable: await total(freeVolumes.map(({ id }) => ctx.volumes.store.allocated(id))),
    },
    { ...all, type: 'Guest images', size: (await allocated(paths.guestImages)) + (await allocated(paths.agents)) },
    { ...all, type: 'Templates', size: await allocated(paths.templates) },
    { ...all, type: 'Cache', size: await allocated(paths.cache) },
  ];
}

/** What no image has of the layers that builds have made. */
async function cacheUsage(ctx: Context): Promise<{ steps: number; shared: number; blobs: number; disks: number }> {
  const entries = ctx.images.cachedSteps();
  const own = new Map(entries.flatMap(({ layer, shared }) => (layer && !shared ? [[layer.digest, layer]] : [])));
  const sum = async (files: string[]) =>
    (await Promise.all(files.map((file) => allocated(file)))).reduce((total, bytes) => total + bytes, 0);
  return {
    steps: entries.length,
    shared: entries.filter(({ shared }) => shared).length,
    blobs: await sum([...own.keys()].map((digest) => ctx.images.blobPath(digest))),
    disks: await sum([...new Set(entries.flatMap(({ layer }) => layer?.disk ?? []))]),
  };
}

const total = async (sizes: Promise<number>[]) => (await Promise.all(sizes)).reduce((sum, each) => sum + each, 0);

/** Of a file, or of all below a folder; hard links count once. What goes meanwhile counts nothing. */
async function allocated(file: string, seen = new Set<number>()): Promise<number> {
  const found = await stat(file).catch(() => undefined);
  if (!found || seen.has(found.ino)) return 0;
  seen.add(found.ino);
  let bytes = found.blocks * 512;
  if (found.isDirectory())
    for (const entry of await readdir(file, { withFileTypes: true }).catch(() => []))
      if (!entry.isSymbolicLink()) bytes += await allocated(path.join(file, entry.name), seen);
  return bytes;
}
