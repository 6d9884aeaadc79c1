import { LABELS } from '../../api.ts';
import type { Project, ProjectVolume, ServiceMount } from '../../deploy/model.ts';
import { NestError } from '../../errors.ts';
import type { Progress } from '../../progress.ts';
import { DEFAULT_SIZE, type Volume } from '../../volumes/volume.ts';
import type { Context } from '../context.ts';
import { createVolume } from '../volumes/create.ts';
import { removeVolume } from '../volumes/remove.ts';

/**
 * Makes the volumes that a project's services mount and that are not there; they stay when its containers go.
 *
 * @param made takes each new one as soon as it is there
 * @throws NestError `not-found` for one that the file says is there.
 */
export async function makeProjectVolumes(
  ctx: Context,
  project: Project,
  progress: Progress,
  made: (volume: Volume) => void,
): Promise<void> {
  const mounted = new Set(project.services.flatMap(({ mounts }) => mounts.map(nameOf)));
  for (const volume of project.volumes.filter(({ name }) => mounted.has(name))) {
    const created = await ctx.volumes.inTurn(volume.name, () => make(ctx, project.name, volume, progress));
    if (created !== undefined) made(created);
  }
}

const nameOf = (mount: ServiceMount) => (mount.type === 'volume' ? mount.source : null);

async function make(
  ctx: Context,
  project: string,
  { key, name, external, zone, size, labels }: ProjectVolume,
  progress: Progress,
): Promise<Volume | undefined> {
  if (ctx.volumes.store.byName(name) !== undefined) return undefined;
  if (external)
    throw new NestError('not-found', `deploy project \`${project}\`: volume \`${name}\` is external and not there`, {
      hint: `nest volume create ${name}`,
    });
  const own = { ...labels, [LABELS.project]: project, [LABELS.volume]: key };
  return progress.step(`Creating volume ${name}`, () =>
    createVolume(ctx, { name, zone, size: size ?? DEFAULT_SIZE, labels: own }),
  );
}

/** Takes back what a deploy made that failed. */
export async function removeNewVolume(ctx: Context, { id }: Volume): Promise<void> {
  const volume = ctx.volumes.store.get(id);
  if (volume !== undefined)
    await removeVolume(ctx, volume).catch((error: unknown) => ctx.log(`undo deploy: ${String(error)}`));
}

/** @returns the names of those that the project had. */
export async function removeProjectVolumes(ctx: Context, project: string, progress: Progress): Promise<string[]> {
  const volumes = ctx.volumes.store.list().filter(({ labels }) => labels[LABELS.project] === project);
  for (const volume of volumes) await progress.step(`Removing volume ${volume.name}`, () => removeVolume(ctx, volume));
  return volumes.map(({ name }) => name);
}
