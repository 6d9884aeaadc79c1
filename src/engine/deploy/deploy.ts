import type { AcceleratorChoice, DeployRequest, DeployResult } from '../../api.ts';
import { LABELS } from '../../api.ts';
import { parseCompose } from '../../deploy/compose/parse.ts';
import type { Project } from '../../deploy/model.ts';
import { planDeploy, type ExistingContainer, type PlanStep } from '../../deploy/plan.ts';
import { NestError } from '../../errors.ts';
import type { Progress } from '../../progress.ts';
import type { Context } from '../context.ts';
import { seeGuests } from '../docker-api/find.ts';
import type { Container } from '../state/record.ts';
import { applyPlan } from './apply.ts';
import { checkNetworks } from './check-networks.ts';
import { stampCopies } from '../copies/stamp.ts';
import { makeProjectVolumes, removeNewVolume } from './volumes.ts';
import { projectContainers } from './project-containers.ts';

/**
 * Makes a project as its Compose file says: reads it, compares with what is there, and does only what differs. What this
 * deploy made is undone when it fails; what a crash left half done is completed by the next.
 */
export async function deploy(
  ctx: Context,
  request: DeployRequest,
  progress: Progress,
  signal: AbortSignal,
): Promise<DeployResult> {
  const { project: asked, warnings } = parseCompose(request);
  const project = await stampCopies(asked);
  for (const warning of warnings) progress.warn(warning);
  await seeGuests(ctx);
  const accelerator: AcceleratorChoice = request.accelerator ?? 'auto';
  return ctx.projects(project.name, async () => {
    const steps = await plan(ctx, project, progress, signal);
    checkNetworks(ctx, project, steps);
    await using undo = new AsyncDisposableStack();
    await makeProjectVolumes(ctx, project, progress, (volume) => undo.defer(() => removeNewVolume(ctx, volume)));
    const services = await applyPlan(ctx, { project, steps, accelerator }, warningOnce(progress), signal);
    undo.move();
    return { project: project.name, services };
  });
}

/** Guests that boot side by side warn of the same things. */
function warningOnce(progress: Progress): Progress {
  const given = new Set<string>();
  return {
    step: (title, work) => progress.step(title, work),
    warn(message) {
      if (!given.has(message)) progress.warn(message);
      given.add(message);
    },
  };
}

async function plan(ctx: Context, project: Project, progress: Progress, signal: AbortSignal): Promise<PlanStep[]> {
  const imageIds = new Map<string, string>();
  for (const image of new Set(project.services.map((service) => service.image)))
    imageIds.set(image, await imageId(ctx, image, progress, signal));
  return planDeploy(project, imageIds, projectContainers(ctx, project.name).map(asExisting));
}

/** Brings an image from its registry where the host lacks it, as Compose does. */
async function imageId(ctx: Context, name: string, progress: Progress, signal: AbortSignal): Promise<string> {
  const known = await ctx.images.find(name);
  if (known !== undefined) return known.id;
  try {
    await progress.step(`Pulling ${name}`, () =>
      ctx.images.load({ kind: 'registry', reference: name }, progress, signal),
    );
  } catch (error) {
    if (signal.aborted) throw error;
    throw new NestError(
      'image-not-found',
      `find image \`${name}\`: it is not on this host, and pulling it failed: ${(error as Error).message}`,
      { hint: 'check its name, or load it: nest image load FILE', cause: error },
    );
  }
  const pulled = await ctx.images.find(name);
  if (pulled === undefined)
    throw new NestError('image-not-found', `find image \`${name}\`: the registry gave another one`);
  return pulled.id;
}

function asExisting({ record, phase, lost, state }: Container): ExistingContainer {
  return {
    id: record.id,
    name: record.name,
    service: record.labels[LABELS.service] ?? '',
    configHash: record.labels[LABELS.configHash] ?? '',
    imageId: record.image.id,
    state: phase === 'creating' ? 'creating' : phase === 'removing' || lost !== null ? 'dead' : state.status,
  };
}
