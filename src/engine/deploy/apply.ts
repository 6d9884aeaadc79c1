import * as v from 'valibot';
import type { AcceleratorChoice, DeployAction, ServiceResult } from '../../api.ts';
import { groupsOf } from '../../deploy/companions.ts';
import { createBody } from '../../deploy/container.ts';
import type { Project, Service } from '../../deploy/model.ts';
import type { PlanStep } from '../../deploy/plan.ts';
import type { Progress } from '../../progress.ts';
import { createContainer } from '../containers/create.ts';
import { removeContainer } from '../containers/remove.ts';
import { startContainer } from '../containers/start.ts';
import { stopContainer } from '../containers/stop.ts';
import type { CreateRequest } from '../containers/request.ts';
import type { Context } from '../context.ts';
import { CreateBody, createRequest } from '../docker-api/create-body.ts';
import { asStartError } from '../docker-api/start-error.ts';
import type { Container } from '../state/record.ts';
import { isAnonymous } from '../../volumes/volume.ts';
import { removeAnonymous } from '../volumes/remove.ts';
import { forgetVolumes, leftVolumes } from '../volumes/service.ts';
import { mountsOf } from '../volumes/users.ts';
import { removeEmptyGuests } from './down.ts';
import { companions, makeProjectNetworks, removeNewNetwork } from './networks.ts';

export interface Plan {
  project: Project;
  steps: PlanStep[];
  accelerator: AcceleratorChoice;
}

/**
 * Carries out a plan. First all removals, because services may swap ports, names and addresses; then networks, and all
 * creates side by side, so that guests boot together; then the starts in the file's order. A container that has another
 * one's network comes after it in both. When one fails, what was created here is removed.
 */
export async function applyPlan(
  ctx: Context,
  plan: Plan,
  progress: Progress,
  signal: AbortSignal,
): Promise<ServiceResult[]> {
  const { project, steps } = plan;
  const results: ServiceResult[] = [];
  const left = new Set<string>();
  const reuse = new Map<string, Record<string, string>>();
  for (const step of steps) {
    if (step.action !== 'remove' && step.action !== 'recreate') continue;
    const old = ctx.state.containers.get(step.id);
    if (old === undefined) continue;
    if (step.action === 'recreate') reuse.set(step.service.name, anonymousVolumes(ctx, old));
    await progress.step(`Removing ${old.record.name}`, () => remove(ctx, old));
    if (old.guest !== null) left.add(old.guest);
    if (step.action !== 'remove') continue;
    await forgetVolumes(ctx, project.name, step.service);
    results.push(serviceResult(ctx, step.service, old, 'removed', step.reason));
  }

  await using undo = new AsyncDisposableStack();
  makeProjectNetworks(ctx, project, (network) => undo.defer(() => removeNewNetwork(ctx, network)));
  const groups = groupsOf(project.services);
  const all = steps.filter((step) => step.action !== 'remove');
  const isJoined = ({ service: { network } }: (typeof all)[number]) => network.mode === 'container';
  const make = (wave: typeof all) =>
    together(
      wave.map((step) => async (stop: AbortSignal) => {
        if (step.action === 'unchanged' || step.action === 'start') return ctx.state.containers.find(step.id);
        const request = {
          ...requestOf(ctx, plan, step.service, reuse),
          companions: companions(ctx, groups.get(step.service) ?? [], step.service),
        };
        const container = await create(ctx, request, progress, stop);
        undo.defer(() => undoCreate(ctx, container));
        return container;
      }),
      signal,
    );
  const waves = [all.filter((step) => !isJoined(step)), all.filter(isJoined)];
  const wanted = waves.flat();
  const containers: Container[] = [];
  for (const wave of waves) containers.push(...(await make(wave)));
  for (const [index, step] of wanted.entries()) {
    const container = containers[index];
    if (container === undefined) continue;
    signal.throwIfAborted();
    if (step.action !== 'unchanged')
      await progress.step(`Starting ${container.record.name}`, () => start(ctx, container));
    results.push(serviceResult(ctx, step.service.name, container, ACTIONS[step.action], whyThere(step, container)));
  }
  undo.move();
  await removeEmptyGuests(ctx, left, progress);
  return results;
}

/** Runs all; when one fails the others are told to stop, and the first failure is thrown once all have ended. */
async function together<T>(tasks: ((stop: AbortSignal) => Promise<T>)[], signal: AbortSignal): Promise<T[]> {
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  let first: { error: unknown } | undefined;
  const settled = await Promise.all(
    tasks.map((task) =>
      task(stop).catch((error: unknown) => {
        first ??= { error };
        failed.abort();
        return undefined;
      }),
    ),
  );
  if (first !== undefined) throw first.error;
  return settled.filter((value) => value !== undefined);
}

async function create(
  ctx: Context,
  request: CreateRequest,
  progress: Progress,
  signal: AbortSignal,
): Promise<Container> {
  return progress.step(`Creating ${request.name ?? ''}`, () => createContainer(ctx, request, progress, signal));
}

/** @param reuse nameless volumes of each service's former container: what is in them stays with the service */
function requestOf(
  ctx: Context,
  { project, accelerator }: Plan,
  service: Service,
  reuse: Map<string, Record<string, string>>,
): CreateRequest {
  const request = createRequest(v.parse(CreateBody, createBody(project, service)), service.container, accelerator);
  const left = leftVolumes(ctx, { project: project.name, service: service.name, zone: service.zone });
  return { ...request, reuse: { ...left, ...reuse.get(service.name) } };
}

/** Their names by destination. */
function anonymousVolumes(ctx: Context, container: Container): Record<string, string> {
  return Object.fromEntries(
    mountsOf(container).flatMap(({ volume: id, destination }) => {
      const volume = ctx.volumes.store.get(id);
      return volume !== undefined && isAnonymous(volume) ? [[destination, volume.name]] : [];
    }),
  );
}

async function start(ctx: Context, container: Container): Promise<void> {
  try {
    await startContainer(ctx, container);
  } catch (error) {
    throw asStartError(error);
  }
}

async function remove(ctx: Context, container: Container): Promise<void> {
  await stopContainer(ctx, container);
  const stopped = ctx.state.containers.get(container.record.id);
  if (stopped !== undefined) await removeContainer(ctx, stopped, true);
}

/** The failure that led here is what the user must see; one of the undo is logged. */
async function undoCreate(ctx: Context, { record, guest }: Container): Promise<void> {
  try {
    const container = ctx.state.containers.get(record.id);
    if (container !== undefined) {
      await removeContainer(ctx, container, true);
      await removeAnonymous(ctx, container, record.createdAt);
    }
    if (guest !== null && ctx.link.current()?.get(guest) !== undefined) await ctx.idle.removeIfEmpty(guest);
  } catch (error) {
    ctx.log(`undo deploy of \`${record.name}\`: ${String(error)}`);
  }
}

function serviceResult(
  ctx: Context,
  service: string,
  { record, guest }: Container,
  action: DeployAction,
  reason: string,
): ServiceResult {
  const bindings = ctx.state.containers.get(record.id)?.bindings ?? [];
  return {
    service,
    container: record.name,
    action,
    zone: record.zone,
    guest: (guest === null ? undefined : ctx.link.current()?.get(guest)?.name) ?? '',
    reason,
    ports: bindings.map(({ hostIp, hostPort, containerPort }) => `${hostIp}:${hostPort}->${containerPort}/tcp`),
  };
}

function whyThere(step: PlanStep, { record }: Container): string {
  return step.action === 'recreate' ? `${step.reason}; ${record.reason}` : record.reason;
}

const ACTIONS = { create: 'created', recreate: 'recreated', start: 'started', unchanged: 'unchanged' } as const;
