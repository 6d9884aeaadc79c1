import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { removeAnonymous } from '../volumes/remove.ts';
import { emitContainer } from './emit.ts';
import { isUp } from './observe.ts';

/** @param volumes its anonymous ones too. @throws NestError `conflict` while it runs, unless `force`. */
export async function removeContainer(
  ctx: Context,
  container: Container,
  force: boolean,
  volumes = false,
): Promise<void> {
  const { name } = container.record;
  if (isUp(container) && !force)
    throw new NestError(
      'conflict',
      `cannot remove container "/${name}": container is running: stop the container before removing or force remove`,
      { hint: `nest rm --force ${name}` },
    );
  await ctx.heal.leave(container.record.id);
  if (ctx.creating.has(container.record.id))
    throw new NestError('conflict', `remove container \`${name}\`: it is being created`, { hint: 'try again' });
  const removing = ctx.state.containers.update(container.record.id, { phase: 'removing' });
  if (removing !== undefined) await dropContainer(ctx, removing, volumes);
}

/** Has the agent forget the container, then forgets it here. What is gone already is success. */
export async function dropContainer(ctx: Context, container: Container, volumes = false): Promise<void> {
  const { id } = container.record;
  await ctx.ports.close(id);
  await dropFromGuest(ctx, container);
  const last = ctx.state.containers.get(id);
  if (last === undefined) return;
  ctx.state.containers.delete(id);
  emitContainer(ctx, 'destroy', last, { exitCode: String(last.state.exitCode) });
  if (volumes || last.record.autoRemove) await removeAnonymous(ctx, last);
  else if (last.phase === 'creating') await removeAnonymous(ctx, last, last.record.createdAt);
  if (container.guest === null) return;
  ctx.volumes.consider(container.guest);
  ctx.idle.consider(container.guest);
  ctx.unusedLayers.consider(container.guest);
}

/** What `docker run --rm` asks for: once it has exited and its last output has been read. */
export function autoRemove(ctx: Context, container: Container): void {
  const { id, name } = container.record;
  const remove = async () => {
    await ctx.streams.ended(id, DRAIN_MILLISECONDS);
    const now = ctx.state.containers.get(id);
    if (now?.phase === 'created' && !isUp(now)) await removeContainer(ctx, now, false);
  };
  remove().catch((error: unknown) => ctx.log(`remove container \`${name}\`: ${String(error)}`));
}

async function dropFromGuest(ctx: Context, { guest, record }: Container): Promise<void> {
  if (guest === null) return;
  const guests = await ctx.link.open();
  const state = guests.get(guest)?.state;
  if (state === undefined || state === 'stopped') return;
  await ctx.link.running(guest);
  await guests.trunk(guest).send({ method: 'DELETE', path: `/v1/containers/${record.id}?force=1` });
}

const DRAIN_MILLISECONDS = 10_000;
