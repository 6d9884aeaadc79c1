import { NestError } from '../../errors.ts';
import type { Progress } from '../../progress.ts';
import type { GuestRecord, Snapshot } from '../../vm/guests.ts';
import { isUp, parkContainer, unsettleContainer } from '../containers/observe.ts';
import { stopContainer } from '../containers/stop.ts';
import type { Context } from '../context.ts';
import { detachUnused } from '../volumes/detach.ts';

/**
 * Stops a guest with its containers, each in its own grace period. They keep what they wrote; those whose restart policy
 * asks for it run again when the guest is started.
 */
export async function stopGuest(ctx: Context, { id, name }: GuestRecord, progress: Progress): Promise<void> {
  await alone(ctx, id, name, async () => {
    const guests = await ctx.link.open();
    if (guests.get(id)?.state === 'stopped') return;
    if (guests.get(id)?.state === 'paused') await guests.resume(id);
    const running = ctx.state.containers.all().filter((container) => container.guest === id && isUp(container));
    await progress.step(`Stop ${running.length} containers of guest ${name}`, () =>
      Promise.all(running.map((container) => stopContainer(ctx, container))),
    );
    await detachUnused(ctx, id);
    await progress.step(`Stop guest ${name}`, () => guests.stop(id));
    ctx.watch.drop(id);
    const again = new Set(running.map(({ record }) => record.id));
    for (const container of ctx.state.containers.all())
      if (container.guest === id)
        parkContainer(ctx, container, `guest ${name} is stopped`, again.has(container.record.id));
  });
}

export async function startGuest(ctx: Context, guest: GuestRecord, progress: Progress, signal?: AbortSignal) {
  await alone(ctx, guest.id, guest.name, async () => (await ctx.link.open()).start(guest.id, progress, signal));
}

export async function rebootGuest(ctx: Context, guest: GuestRecord, progress: Progress, signal?: AbortSignal) {
  await stopGuest(ctx, guest, progress);
  await startGuest(ctx, guest, progress, signal);
}

export async function takeSnapshot(ctx: Context, guest: GuestRecord, name: string): Promise<Snapshot> {
  return alone(ctx, guest.id, guest.name, async () => {
    await detachUnused(ctx, guest.id);
    return (await ctx.link.open()).takeSnapshot(guest.id, name);
  });
}

/** Containers that were made since are lost; those that were removed since stay so. */
export async function restoreSnapshot(ctx: Context, { id, name }: GuestRecord, snapshot: string): Promise<void> {
  await alone(ctx, id, name, async () => {
    const guests = await ctx.link.open();
    if (!(await guests.snapshots(id)).some((each) => each.name === snapshot))
      throw new NestError('not-found', `guest \`${name}\` has no snapshot \`${snapshot.slice(0, 128)}\``, {
        hint: `See them with nest vm snapshot list ${name}`,
      });
    await detachUnused(ctx, id);
    ctx.watch.drop(id);
    for (const container of ctx.state.containers.all())
      if (container.guest === id && container.phase === 'created')
        await unsettleContainer(ctx, container, `guest ${name} was restored to ${snapshot}, which does not have it`);
    await guests.restoreSnapshot(id, snapshot);
  });
  await ctx.watch.settled();
}

export async function pauseGuest(ctx: Context, { id }: GuestRecord): Promise<void> {
  await (await ctx.link.open()).pause(id);
}

export async function resumeGuest(ctx: Context, { id }: GuestRecord): Promise<void> {
  await (await ctx.link.open()).resume(id);
}

/** Nothing is placed in a guest while it is stopped, started or resized, and nobody else does either. */
export async function alone<T>(ctx: Context, id: string, name: string, work: () => Promise<T>): Promise<T> {
  if (ctx.leaving.has(id) || ctx.seats.taken(id))
    throw new NestError('conflict', `change guest \`${name}\`: it is being changed`, { hint: 'try again' });
  ctx.leaving.add(id);
  try {
    return await work();
  } finally {
    ctx.leaving.delete(id);
    ctx.watch.look(id);
  }
}
