import * as v from 'valibot';
import { LABELS } from '../api.ts';
import type { Engine } from './connect.ts';

/** A container as `nest ps` shows it. */
export interface ContainerRow {
  id: string;
  name: string;
  zone: string;
  /** Name of its guest; empty while it has none. */
  guest: string;
  image: string;
  command: string;
  /** `running`, `exited`, … */
  state: string;
  /** `Up 3 minutes` */
  status: string;
  /** `127.0.0.1:8080->80/tcp` */
  ports: string[];
  /** Milliseconds since 1970. */
  createdAt: number;
  labels: Record<string, string>;
}

export interface ContainerQuery {
  all: boolean;
  /** Docker's filters: `{label: ['a=b'], name: ['web']}`. */
  filters: Record<string, string[]>;
}

/** Containers and where they run. */
export async function listContainers(engine: Engine, { all, filters }: ContainerQuery): Promise<ContainerRow[]> {
  const [listed, guests] = await Promise.all([
    engine.docker((docker) => docker.listContainers({ all, filters: JSON.stringify(filters) })),
    engine.nest.guests(),
  ]);
  const guestOf = new Map(guests.flatMap((guest) => guest.containers.map(({ id }) => [id, guest.name])));
  return v.parse(v.array(Summary), listed).map((summary) => ({
    id: summary.Id,
    name: summary.Names[0]?.replace(/^\//, '') ?? summary.Id.slice(0, 12),
    zone: summary.Labels[LABELS.zone] ?? '',
    guest: guestOf.get(summary.Id) ?? '',
    image: summary.Image,
    command: summary.Command,
    state: summary.State,
    status: summary.Status,
    ports: summary.Ports.map(formatPort),
    createdAt: summary.Created * 1000,
    labels: summary.Labels,
  }));
}

/** Removes stopped containers. Returns their ids. */
export async function pruneContainers(engine: Engine): Promise<string[]> {
  const pruned = await engine.docker((docker) => docker.pruneContainers());
  return v.parse(v.object({ ContainersDeleted: v.nullish(v.array(v.string()), []) }), pruned).ContainersDeleted;
}

/** The parts of Docker's ContainerSummary that are shown. */
const Port = v.object({
  IP: v.optional(v.string()),
  PrivatePort: v.number(),
  PublicPort: v.optional(v.number()),
  Type: v.string(),
});

const Summary = v.object({
  Id: v.string(),
  Names: v.array(v.string()),
  Image: v.string(),
  Command: v.string(),
  /** Seconds since 1970. */
  Created: v.number(),
  State: v.string(),
  Status: v.string(),
  Ports: v.array(Port),
  Labels: v.record(v.string(), v.string()),
});

function formatPort({ IP, PrivatePort, PublicPort, Type }: v.InferOutput<typeof Port>): string {
  const inside = `${PrivatePort}/${Type}`;
  if (PublicPort === undefined) return inside;
  const address = IP?.includes(':') ? `[${IP}]` : (IP ?? '');
  return `${address}${address && ':'}${PublicPort}->${inside}`;
}
