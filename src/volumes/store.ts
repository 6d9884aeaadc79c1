import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { NestError } from '../errors.ts';
import { volumePaths, type Paths } from '../paths.ts';
import { makeVolumeDisk } from './disk.ts';
import { newVolumeId, Volume } from './volume.ts';

export type NewVolume = Pick<Volume, 'name' | 'zone' | 'size' | 'labels'> & Partial<Pick<Volume, 'id'>>;

/** The volumes of this host, a folder each: what they are stands beside their disk, so a lost database loses none. */
export interface VolumeStore {
  list(): Volume[];
  /** By id. */
  get(id: string): Volume | undefined;
  byName(name: string): Volume | undefined;
  /** @throws NestError `conflict` when one has the name. */
  create(volume: NewVolume): Promise<Volume>;
  /** Gives it to a zone, or other labels. */
  change(id: string, change: Partial<Pick<Volume, 'zone' | 'labels'>>): Promise<Volume>;
  /** Absent is success. */
  remove(id: string): Promise<void>;
  disk(id: string): string;
  /** Bytes that it takes on the host. */
  allocated(id: string): Promise<number>;
}

/** Finds what is there, and removes what an engine that was killed left half made or half removed. */
export async function openVolumeStore(paths: Paths, log: (message: string) => void): Promise<VolumeStore> {
  await mkdir(paths.volumes, { recursive: true });
  const volumes = new Map<string, Volume>();
  const making = new Set<string>();
  for (const name of await readdir(paths.volumes)) {
    if (name.startsWith('.')) await rm(path.join(paths.volumes, name), { recursive: true, force: true });
    else await load(paths, name, volumes, log);
  }
  const byName = (name: string) => volumes.values().find((volume) => volume.name === name);
  return {
    list: () => [...volumes.values()],
    get: (id) => volumes.get(id),
    byName,
    async create(request) {
      const { name } = request;
      if (byName(name) !== undefined || making.has(name))
        throw new NestError('conflict', `create volume \`${name}\`: there is one of this name`, {
          hint: `nest volume inspect ${name}`,
        });
      making.add(name);
      try {
        const volume = { id: newVolumeId(), ...request, createdAt: Date.now() };
        await make(paths, volume);
        volumes.set(volume.id, volume);
        return volume;
      } finally {
        making.delete(name);
      }
    },
    async change(id, change) {
      const volume = volumes.get(id);
      if (volume === undefined) throw new NestError('not-found', `no volume has the id ${id}`);
      const changed = { ...volume, ...change };
      await describe(volumePaths(paths, id).description, changed);
      volumes.set(id, changed);
      return changed;
    },
    async remove(id) {
      if (!volumes.has(id)) return;
      const gone = path.join(paths.volumes, `.${id}.gone`);
      await rename(volumePaths(paths, id).folder, gone);
      volumes.delete(id);
      await rm(gone, { recursive: true, force: true });
    },
    disk: (id) => volumePaths(paths, id).disk,
    async allocated(id) {
      const found = await stat(volumePaths(paths, id).disk).catch(() => undefined);
      return (found?.blocks ?? 0) * 512;
    },
  };
}

/** Made aside and renamed: a volume is there as a whole or not at all. */
async function make(paths: Paths, volume: Volume): Promise<void> {
  const final = volumePaths(paths, volume.id);
  const folder = path.join(paths.volumes, `.${volume.id}.new`);
  try {
    // QEMU's user passes through; the disk itself is not for everybody.
    await mkdir(folder, { mode: 0o711 });
    await makeVolumeDisk(path.join(folder, path.basename(final.disk)), volume.size);
    await describe(path.join(folder, path.basename(final.description)), volume);
    await rename(folder, final.folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  await syncFolder(paths.volumes);
}

async function describe(file: string, volume: Volume): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(volume), { mode: 0o600, flush: true });
  await rename(`${file}.new`, file);
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder);
  await handle.sync();
}

/** What cannot be read may hold somebody's data: it stays where it is, and the log says so. */
async function load(paths: Paths, name: string, volumes: Map<string, Volume>, log: (message: string) => void) {
  try {
    const volume = v.parse(Volume, JSON.parse(await readFile(volumePaths(paths, name).description, 'utf8')));
    if (volume.id === name) volumes.set(volume.id, volume);
    else log(`read volume \`${name}\`: its description is that of another one`);
  } catch (error) {
    log(`read volume \`${name}\`: ${(error as Error).message}`);
  }
}
