import * as v from 'valibot';
import { createBody } from '../../deploy/container.ts';
import type { Project } from '../../deploy/model.ts';
import type { PlanStep } from '../../deploy/plan.ts';
import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { CreateBody, createRequest } from '../docker-api/create-body.ts';
import { connectionOf, type Neighbours } from '../networks/attach.ts';
import { rangeFor, refuseMembers, zoneOf } from '../networks/networks.ts';
import type { Container } from '../state/record.ts';
import { networkChanges } from './networks.ts';

/**
 * Finds what keeps a project's networks from being made, and its new containers from being connected, while all that the
 * plan takes away is still there.
 *
 * @throws NestError what making the networks, and then the containers, would throw
 */
export function checkNetworks(ctx: Context, project: Project, steps: readonly PlanStep[]): void {
  const leaving = new Set(steps.flatMap((step) => (isRemoval(step) ? step.id : [])));
  const neighbours = neighboursAfter(ctx, project, leaving);
  for (const { service, action } of steps)
    if (typeof service !== 'string' && (action === 'create' || action === 'recreate')) {
      const { network } = createRequest(v.parse(CreateBody, createBody(project, service)), service.container);
      const { container: name, zone, hostname } = service;
      connectionOf(network, { id: NEW_ID, name, zone, hostname: hostname ?? NEW_ID.slice(0, 12) }, neighbours);
    }
}

/** What will be there when the containers that leave are gone and the networks are made. */
function neighboursAfter(ctx: Context, project: Project, leaving: ReadonlySet<string>): Neighbours {
  const stays = ({ record }: Container) => !leaving.has(record.id);
  const changes = networkChanges(ctx, project);
  for (const { old } of changes) if (old !== undefined) refuseMembers(ctx, old, stays);
  const replaced = new Set(changes.map(({ old }) => old?.id));
  const networks = ctx.state.networks.all().filter(({ id }) => !replaced.has(id));
  for (const [index, { request }] of changes.entries()) {
    const { name, zone, internal, labels } = request;
    const id = index.toString(16).padStart(NEW_ID.length, '0');
    networks.push({ id, name, zone, internal, labels, ...rangeFor(request, networks), createdAt: 0 });
  }
  const byName = new Map(networks.map((network) => [network.name, network]));
  const own = new Map(
    project.services.map(({ container, zone }) => [container, { id: NEW_ID, name: container, zone }]),
  );
  return {
    network: (reference) => byName.get(reference) ?? ctx.state.networks.find(reference),
    zoneOf: (network) => zoneOf(ctx, network, stays),
    container: (reference) => own.get(reference) ?? staying(ctx, reference, stays),
  };
}

function staying(ctx: Context, reference: string, stays: (container: Container) => boolean): Container['record'] {
  const container = ctx.state.containers.find(reference);
  if (stays(container)) return container.record;
  const { name } = container.record;
  throw new NestError('not-found', `join the network of container \`${name}\`: the same deploy removes it`, {
    hint: 'join a service of this file, or a container of another project in the same zone',
  });
}

const isRemoval = (step: PlanStep): step is Extract<PlanStep, { action: 'remove' | 'recreate' }> =>
  step.action === 'remove' || step.action === 'recreate';

/** In the place of an id that is not known yet. */
const NEW_ID = '0'.repeat(64);
