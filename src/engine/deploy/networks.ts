import { LABELS } from '../../api.ts';
import { networksOf } from '../../deploy/companions.ts';
import { digestOf } from '../../deploy/digest.ts';
import type { Project, ProjectNetwork, Service } from '../../deploy/model.ts';
import { NestError } from '../../errors.ts';
import { countedMemory } from '../../placement/place.ts';
import type { CreateRequest } from '../containers/request.ts';
import type { Context } from '../context.ts';
import { createNetwork, type NetworkRequest, pruneNetworks, removeNetwork } from '../networks/networks.ts';
import type { NetworkRecord } from '../state/networks.ts';

/** A network that a deploy makes, in the place of one whose definition has changed. */
export interface NetworkChange {
  request: NetworkRequest;
  old: NetworkRecord | undefined;
}

/**
 * What is to be done for a project's networks. Those that want certain addresses come first: others take what is free.
 *
 * @throws NestError `not-found` for one that the file says is there, `conflict` for one that is somebody else's
 */
export function networkChanges(ctx: Context, project: Project): NetworkChange[] {
  const changes = project.networks.flatMap((network) => changeOf(ctx, project.name, network) ?? []);
  return [
    ...changes.filter(({ request }) => request.subnet !== undefined),
    ...changes.filter(({ request }) => request.subnet === undefined),
  ];
}

/**
 * Makes the networks that a project's services join and that are not there; one whose definition has changed is made anew.
 *
 * @param made takes each as soon as it is there
 * @throws what networkChanges, removeNetwork and createNetwork throw
 */
export function makeProjectNetworks(ctx: Context, project: Project, made: (network: NetworkRecord) => void): void {
  const changes = networkChanges(ctx, project);
  // All first: a new one may have the addresses of another one that goes.
  for (const { old } of changes) if (old !== undefined) removeNetwork(ctx, old.id);
  for (const { request } of changes) made(createNetwork(ctx, request));
}

/** Takes back what a deploy made that failed; that failure is what the user must see. */
export function removeNewNetwork(ctx: Context, { id }: NetworkRecord): void {
  try {
    removeNetwork(ctx, id);
  } catch (error) {
    ctx.log(`undo deploy: ${String(error)}`);
  }
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

function changeOf(ctx: Context, project: string, network: ProjectNetwork): NetworkChange | undefined {
  const { key, name, zone, external, internal, subnet, gateway, labels } = network;
  const operation = `deploy project \`${project}\``;
  const old = ctx.state.networks.all().find((other) => other.name === name);
  if (external && old === undefined)
    throw new NestError('not-found', `${operation}: network \`${name}\` is external and not there`, {
      hint: `nest network create ${name}`,
    });
  const digest = digestOf(network);
  if (external || old?.labels[LABELS.configHash] === digest) return undefined;
  if (old !== undefined && old.labels[LABELS.project] !== project)
    throw new NestError('conflict', `${operation}: network \`${name}\` is there, and not of this project`, {
      hint: 'say `external: true` where it is meant, or give the network another `name`',
    });
  const own = { ...labels, [LABELS.project]: project, [LABELS.network]: key, [LABELS.configHash]: digest };
  const range = { ...(subnet !== null && { subnet }), ...(gateway !== null && { gateway }) };
  return { request: { name, zone, internal, labels: own, ...range }, old };
}
