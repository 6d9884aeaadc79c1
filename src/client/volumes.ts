import * as v from 'valibot';
import { LABELS } from '../api.ts';
import type { Engine } from './connect.ts';

/** A volume as `nest volume ls` shows it. */
export interface VolumeRow {
  name: string;
  /** Empty until a container has used it. */
  zone: string;
  /** Bytes that it can hold, and that it takes on the host. */
  size: number;
  used: number;
  /** Names of the containers that have it, and of the guests that it is attached to now. */
  containers: string[];
  guests: string[];
  labels: Record<string, string>;
  /** Milliseconds since 1970. */
  createdAt: number;
}

export interface NewVolume {
  name: string | undefined;
  zone: string | undefined;
  /** Bytes; the usual size when undefined. */
  size: number | undefined;
  labels: Record<string, string>;
}

export async function createVolume(engine: Engine, { name, zone, size, labels }: NewVolume): Promise<VolumeRow> {
  const options = {
    ...(name !== undefined && { Name: name }),
    ...(size !== undefined && { DriverOpts: { size: String(size) } }),
    Labels: { ...labels, ...(zone !== undefined && { [LABELS.zone]: zone }) },
  };
  // dockerode knows the reply as the volume's handle; the volume itself is asked for.
  const { name: created } = v.parse(Created, await engine.docker((docker) => docker.createVolume(options)));
  return toRow(await engine.docker((docker) => docker.getVolume(encodeURIComponent(created)).inspect()));
}

/** By name. */
export async function listVolumes(engine: Engine, filters: Record<string, string[]> = {}): Promise<VolumeRow[]> {
  const listed = await engine.docker((docker) => docker.listVolumes({ filters: JSON.stringify(filters) }));
  return listed.Volumes.map(toRow);
}

export async function removeVolume(engine: Engine, name: string, force: boolean): Promise<void> {
  await engine.docker((docker) => docker.getVolume(encodeURIComponent(name)).remove({ force }));
}

/** @param all also those with a name */
export async function pruneVolumes(engine: Engine, all: boolean): Promise<{ volumes: string[]; freed: number }> {
  const filters = JSON.stringify(all ? { all: ['true'] } : {});
  const pruned = v.parse(Pruned, await engine.docker((docker) => docker.pruneVolumes({ filters })));
  return { volumes: pruned.VolumesDeleted, freed: pruned.SpaceReclaimed };
}

function toRow(volume: unknown): VolumeRow {
  const { Name, CreatedAt, Labels, UsageData, Nest } = v.parse(Volume, volume);
  return {
    name: Name,
    zone: Nest.Zone,
    size: Nest.Size,
    used: UsageData.Size,
    containers: Nest.Containers,
    guests: Nest.Guests,
    labels: Labels,
    createdAt: Date.parse(CreatedAt),
  };
}

const Created = v.object({ name: v.string() });
const Pruned = v.object({ VolumesDeleted: v.nullish(v.array(v.string()), []), SpaceReclaimed: v.number() });
const Volume = v.object({
  Name: v.string(),
  CreatedAt: v.string(),
  Labels: v.nullish(v.record(v.string(), v.string()), {}),
  UsageData: v.object({ Size: v.number() }),
  Nest: v.object({
    Zone: v.string(),
    Size: v.number(),
    Guests: v.array(v.string()),
    Containers: v.array(v.string()),
  }),
});
