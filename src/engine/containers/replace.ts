import type { Progress } from '../../progress.ts';
import type { Context } from '../context.ts';
import type { Seat } from '../guests/seats.ts';
import type { Container } from '../state/record.ts';
import { sendCopies } from '../copies/send.ts';
import { lostCompanions } from '../networks/companions.ts';
import { findImage, putInto } from './create.ts';
import { cpuLimit, memoryLimit } from './limits.ts';
import { guestWanted } from './merge.ts';

/**
 * Puts a container whose guest has ended into another guest of its zone, as it was created: what it wrote went with the
 * guest's disk. It is not started.
 *
 * The row changes last: a crash on the way leaves a container that is lost as before, and in a guest one that reconciliation
 * removes.
 *
 * @throws NestError `image-not-found`, `no-room`, `boot-failed`, `cancelled`.
 */
export async function replaceContainer(
  ctx: Context,
  { record, guest: former }: Container,
  progress: Progress,
  signal?: AbortSignal,
): Promise<void> {
  const { id, zone } = record;
  const image = await findImage(ctx, record.image.id);
  const layers = await ctx.images.layers(image, progress);
  const { limits } = record.spec;
  const accelerator = ctx.link.current()?.get(former ?? '')?.accelerator ?? ('auto' as const);
  ctx.creating.add(id);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => void ctx.creating.delete(id));
  const wish = guestWanted(record.labels, `place container \`${record.name}\``);
  const volumes = record.spec.volumes ?? [];
  const wanted = { zone, memoryLimit: memoryLimit(limits), cpus: cpuLimit(limits), accelerator, ...wish, volumes };
  const seat = await ctx.seats.take({ ...wanted, record, companions: lostCompanions(ctx, record) }, progress, signal);
  undo.defer(() => leaveSeat(ctx, id, seat));
  const placed = { ...record, reason: seat.reason };
  await sendCopies(ctx, seat.guest.id, placed, progress, signal);
  const state = await putInto(ctx, seat.guest.id, placed, layers, signal);
  const { name } = ctx.state.containers.get(id)?.record ?? record;
  const row = { record: { ...placed, name }, phase: 'created' as const, guest: seat.guest.id, lost: null };
  ctx.state.containers.save({ ...row, state, bindings: [] });
  seat.release();
  undo.move();
  ctx.creating.delete(id);
  if (former === null) return;
  ctx.idle.consider(former);
  ctx.unusedLayers.consider(former);
}

async function leaveSeat(ctx: Context, id: string, seat: Seat): Promise<void> {
  seat.release();
  const guests = ctx.link.current();
  const state = guests?.get(seat.guest.id)?.state;
  if (state === 'running' || state === 'unreachable')
    await guests
      ?.trunk(seat.guest.id)
      .send({ method: 'DELETE', path: `/v1/containers/${id}?force=1` })
      .catch((error: unknown) => ctx.log(`take back container \`${id}\`: ${String(error)}`));
  if (seat.isNew) await ctx.idle.removeIfEmpty(seat.guest.id);
}
