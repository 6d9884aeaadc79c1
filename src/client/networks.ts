import * as v from 'valibot';
import { LABELS } from '../api.ts';
import type { Engine } from './connect.ts';
import { toMap } from './docker-values.ts';

export interface NetworkRow {
  id: string;
  name: string;
  driver: string;
  /** '' where it is in each, or in none yet. */
  zone: string;
  subnet: string;
  internal: boolean;
}

export async function listNetworks(engine: Engine, filters: Record<string, string[]>): Promise<NetworkRow[]> {
  const listed = await engine.docker((docker) => docker.listNetworks({ filters: JSON.stringify(filters) }));
  return v.parse(v.array(Network), listed).map(({ Id, Name, Driver, Internal, IPAM, Nest }) => ({
    id: Id,
    name: Name,
    driver: Driver,
    zone: Nest?.Zone ?? '',
    subnet: IPAM.Config[0]?.Subnet ?? '',
    internal: Internal,
  }));
}

export interface NetworkOptions {
  zone?: string | undefined;
  subnet?: string | undefined;
  gateway?: string | undefined;
  internal: boolean;
  labels: string[];
}

/** @returns its id */
export async function createNetwork(engine: Engine, name: string, options: NetworkOptions): Promise<string> {
  const { zone, subnet, gateway, internal, labels } = options;
  const network = await engine.docker((docker) =>
    docker.createNetwork({
      Name: name,
      Driver: 'bridge',
      Internal: internal,
      Labels: { ...toMap(labels), ...(zone !== undefined && { [LABELS.zone]: zone }) },
      ...(subnet !== undefined && {
        IPAM: { Config: [{ Subnet: subnet, ...(gateway !== undefined && { Gateway: gateway }) }] },
      }),
    }),
  );
  return network.id;
}

export async function inspectNetwork(engine: Engine, name: string): Promise<Record<string, unknown>> {
  return v.parse(
    v.looseObject({}),
    await engine.docker((docker) => docker.getNetwork(encodeURIComponent(name)).inspect()),
  );
}

export async function removeNetwork(engine: Engine, name: string): Promise<void> {
  await engine.docker((docker) => docker.getNetwork(encodeURIComponent(name)).remove());
}

/** @returns names of those that nobody was in */
export async function pruneNetworks(engine: Engine): Promise<string[]> {
  const { NetworksDeleted } = v.parse(Pruned, await engine.docker((docker) => docker.pruneNetworks()));
  return NetworksDeleted ?? [];
}

const Network = v.object({
  Id: v.string(),
  Name: v.string(),
  Driver: v.string(),
  Internal: v.boolean(),
  IPAM: v.object({ Config: v.array(v.object({ Subnet: v.optional(v.string()) })) }),
  Nest: v.optional(v.object({ Zone: v.string() })),
});
const Pruned = v.object({ NetworksDeleted: v.nullish(v.array(v.string())) });
