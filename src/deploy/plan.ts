import { configHash } from './container.ts';
import type { Project, Service } from './model.ts';

/** A container of the project as the engine knows it, found by its labels. */
export interface ExistingContainer {
  id: string;
  name: string;
  /** Labels com.docker.compose.service and com.docker.compose.config-hash. */
  service: string;
  configHash: string;
  imageId: string;
  /**
   * `creating`: the engine ended before its guest had it; `dead`: its guest is gone; the others as the agent says.
   */
  state: 'creating' | 'created' | 'running' | 'restarting' | 'exited' | 'dead';
}

/** `id` names the container that a step is about: the one to start, or the one to remove first. */
export type PlanStep =
  | { action: 'unchanged' | 'start' | 'recreate'; service: Service; id: string; reason: string }
  | { action: 'create'; service: Service; reason: string }
  | { action: 'remove'; service: string; name: string; id: string; reason: string };

/**
 * What turns the existing containers into what the project asks for. Pure.
 *
 * `remove` steps come first, then one step for each service in the file's order. Remove the old containers of all
 * `recreate` steps before any is created: services may swap their ports.
 *
 * @param imageIds id of each service's image, by the name that the file uses
 */
export function planDeploy(
  project: Project,
  imageIds: ReadonlyMap<string, string>,
  existing: readonly ExistingContainer[],
): PlanStep[] {
  const removals: PlanStep[] = [];
  const steps: PlanStep[] = [];
  for (const service of project.services) {
    const wanted = { service, configHash: configHash(project, service), imageId: imageIdOf(service, imageIds) };
    const [kept, ...surplus] = existing
      .filter((container) => container.service === service.name)
      .sort((a, b) => RANK[stepFor(wanted, a).action] - RANK[stepFor(wanted, b).action] || (a.id < b.id ? -1 : 1));
    steps.push(
      kept === undefined ? { action: 'create', service, reason: 'has no container yet' } : stepFor(wanted, kept),
    );
    removals.push(...surplus.map((container) => removal(container, 'is a second container of its service')));
  }
  const services = new Set(project.services.map((service) => service.name));
  const orphans = existing.filter((container) => !services.has(container.service));
  removals.unshift(...orphans.map((container) => removal(container, 'its service is no longer in the file')));
  return [...removals, ...steps.map((step) => follow(step, steps))];
}

interface Wanted {
  service: Service;
  configHash: string;
  imageId: string;
}

type KeepingStep = Extract<PlanStep, { action: 'unchanged' | 'start' | 'recreate' }>;

function stepFor({ service, configHash, imageId }: Wanted, container: ExistingContainer): KeepingStep {
  const step = (action: KeepingStep['action'], reason: string): KeepingStep => ({
    action,
    service,
    id: container.id,
    reason,
  });
  if (container.configHash !== configHash) return step('recreate', 'its configuration changed');
  if (container.imageId !== imageId) return step('recreate', `image ${service.image} changed`);
  switch (container.state) {
    case 'creating':
      return step('recreate', 'was left half made');
    case 'dead':
      return step('recreate', 'its guest is gone');
    case 'created':
      return step('start', 'was never started');
    case 'exited':
      return step('start', 'has exited');
    case 'running':
    case 'restarting':
      return step('unchanged', 'is up to date');
  }
}

/** A container that has another one's network is made anew with that one: else it keeps a network that is gone. */
function follow(step: PlanStep, steps: readonly PlanStep[]): PlanStep {
  if (step.action !== 'unchanged' && step.action !== 'start') return step;
  const { network } = step.service;
  if (network.mode !== 'container') return step;
  const owner = steps.find(({ service }) => typeof service !== 'string' && service.name === network.service);
  if (owner === undefined || owner.action === 'unchanged') return step;
  return { ...step, action: 'recreate', reason: `has the network of ${network.container}, which starts anew` };
}

function removal(container: ExistingContainer, reason: string): PlanStep {
  return { action: 'remove', service: container.service, name: container.name, id: container.id, reason };
}

function imageIdOf(service: Service, imageIds: ReadonlyMap<string, string>): string {
  const id = imageIds.get(service.image);
  if (id === undefined) throw new Error(`planDeploy: image ${service.image} was not resolved`);
  return id;
}

/** Of several containers of one service the one that needs least is kept. */
const RANK: Record<KeepingStep['action'], number> = { unchanged: 0, start: 1, recreate: 2 };
