import { createHash } from 'node:crypto';
import { LABELS } from '../../api.ts';
import { networksOf } from '../../deploy/companions.ts';
import type { Project, ProjectNetwork, Service } from '../../deploy/model.ts';
import { NestError } from '../../errors.ts';
import { countedMemory } from '../../placement/place.ts';
import type { CreateRequest } from '../containers/request.ts';
import type { Context } from '../context.ts';
import { createNetwork, pruneNetworks, removeNetwork } from '../networks/networks.ts';
import type { NetworkRecord } from '../state/networks.ts';

/**
 * Makes the networks that a project's services join and that are not there; one whose definition has changed is made anew.
 *
 * @returns those that were made
 * @throws NestError `not-found` for one that the file says is there, `conflict` for one that is somebody else's
 */
export function makeProjectNetworks(ctx: Context, project: Project): NetworkRecord[] {
  return project.networks.flatMap((network) => make(ctx, project.name, network) ?? []);
}

/** @returns the names of those that nobody else is in */
export function removeProjectNetworks(ctx: Context, project: string): string[] {
  return pruneNetworks(ctx, ({ labels }) => labels[LABELS.project] === project).map(({ name }) => name);
}

/** What the others of a service's group need, so that the guest of the first has room for all. */
export function companions(
  ctx: Context,
  group: readonly Service[],
  service: Service,
): NonNullable<CreateRequest['companions']> {
  const others = group.filter((other) => other !== service);
  return {
    memory: others.reduce((total, { memory }) => total + countedMemory(memory ?? undefined), 0),
    cpus: Math.max(0, ...others.map(({ cpus }) => cpus ?? 0)),
    networks: [...new Set(networksOf(others))].map((name) => ctx.state.networks.find(name).id),
  };
}

function make(ctx: Context, project: string, network: ProjectNetwork): NetworkRecord | undefined {
  const { key, name, zone, external, internal, subnet, gateway, labels } = network;
  const operation = `deploy project \`${project}\``;
  const there = ctx.state.networks.all().find((other) => other.name === name);
  if (external && there === undefined)
    throw new NestError('not-found', `${operation}: network \`${name}\` is external and not there`, {
      hint: `nest network create ${name}`,
    });
  const digest = createHash('sha256').update(JSON.stringify(network)).digest('hex');
  if (external || there?.labels[LABELS.configHash] === digest) return undefined;
  if (there !== undefined) {
    if (there.labels[LABELS.project] !== project)
      throw new NestError('conflict', `${operation}: network \`${name}\` is there, and not of this project`, {
        hint: 'say `external: true` where it is meant, or give the network another `name`',
      });
    removeNetwork(ctx, there.id);
  }
  const own = { ...labels, [LABELS.project]: project, [LABELS.network]: key, [LABELS.configHash]: digest };
  return createNetwork(ctx, {
    name,
    zone,
    internal,
    labels: own,
    ...(subnet !== null && { subnet }),
    ...(gateway !== null && { gateway }),
  });
}
