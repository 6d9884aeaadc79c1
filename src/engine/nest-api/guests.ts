import * as v from 'valibot';
import { DiffId } from '../../../guest-agent/api.ts';
import type { Guest, GuestDetail, GuestUsage } from '../../api.ts';
import { NestError } from '../../errors.ts';
import { countedMemory } from '../../placement/place.ts';
import type { GuestRecord } from '../../vm/guests.ts';
import { dropContainer } from '../containers/remove.ts';
import { memoryLimit } from '../containers/limits.ts';
import { isUp } from '../containers/observe.ts';
import type { Context } from '../context.ts';
import { dockerState } from '../docker-api/container-status.ts';
import type { Container } from '../state/record.ts';
import { removeGuest } from '../guests/remove.ts';
import { guestUsage } from './guest-usage.ts';

/** By id, name, or a prefix of the id that fits one only. @throws NestError `not-found`, `libvirt-unavailable`. */
export async function findGuest(ctx: Context, reference: string): Promise<GuestRecord> {
  const guests = (await ctx.link.open()).list();
  const exact = guests.find(({ id, name }) => id === reference || name === reference);
  const prefixed = guests.filter(({ id }) => reference !== '' && id.startsWith(reference));
  const guest = exact ?? (prefixed.length === 1 ? prefixed[0] : undefined);
  if (guest !== undefined) return guest;
  throw new NestError('not-found', `No such guest: ${reference.slice(0, 128)}`, { hint: '`nest vm list` lists them' });
}

export function describeGuest(ctx: Context, guest: GuestRecord, usage: GuestUsage | null): Guest {
  const containers = containersOf(ctx, guest.id);
  const { shape, ...record } = guest;
  return {
    ...record,
    ...shape,
    startedAt: guest.state === 'stopped' ? null : (guest.startedAt ?? guest.createdAt),
    usage,
    committed: containers.reduce((sum, { record: { spec } }) => sum + countedMemory(memoryLimit(spec.limits)), 0),
    containers: containers.map((container) => ({
      id: container.record.id,
      name: container.record.name,
      status: dockerState(ctx, container),
    })),
  };
}

/** The guest, and what its agent says of it. */
export async function showGuest(ctx: Context, guest: GuestRecord): Promise<GuestDetail> {
  return {
    ...describeGuest(ctx, guest, await guestUsage(ctx, guest)),
    limits: await (await ctx.link.open()).processLimits(guest.id),
    layers: await mountedLayers(ctx, guest),
  };
}

/** Its containers go on: the zygote is their parent. @throws NestError `guest-lost`. */
export async function restartAgent(ctx: Context, guest: GuestRecord): Promise<void> {
  const { guests } = await ctx.link.running(guest.id);
  await guests.trunk(guest.id).send({ method: 'POST', path: '/v1/restart' });
}

async function mountedLayers(ctx: Context, { id, state }: GuestRecord): Promise<string[] | null> {
  if (state !== 'running') return null;
  const guests = await ctx.link.open();
  const request = { method: 'GET' as const, path: '/v1/layers', signal: AbortSignal.timeout(ANSWER_MILLISECONDS) };
  // Who looks at a guest that has just frozen wants to see what is known of it.
  return guests
    .trunk(id)
    .request(request, v.array(DiffId))
    .catch(() => null);
}

/**
 * Removes a guest with its containers, whose files are on its disk.
 * @throws NestError `conflict` while some run, unless `force`.
 */
export async function deleteGuest(ctx: Context, guest: GuestRecord, force: boolean): Promise<void> {
  const containers = containersOf(ctx, guest.id);
  const running = containers.filter(isUp);
  if (running.length > 0 && !force)
    throw new NestError('conflict', `delete guest \`${guest.name}\`: ${running.length} containers run in it`, {
      hint: `stop them, or delete it with them: nest vm delete --force ${guest.name}`,
    });
  // Marked first: should the engine end on the way, the next one completes it.
  for (const container of containers) ctx.state.containers.update(container.record.id, { phase: 'removing' });
  await endUsersOfVolumes(ctx, guest, running);
  await removeGuest(ctx, await ctx.link.open(), guest.id);
  for (const container of containers) await dropContainer(ctx, container);
}

/** Their last writes are to reach the volumes, where the guest still answers. */
async function endUsersOfVolumes(ctx: Context, guest: GuestRecord, running: Container[]): Promise<void> {
  const trunk = guest.state === 'running' ? ctx.link.current()?.trunk(guest.id) : undefined;
  if (trunk === undefined) return;
  const signal = AbortSignal.timeout(ANSWER_MILLISECONDS);
  const users = running.filter(({ record }) => record.spec.volumes?.length);
  await Promise.all(
    users.map(({ record }) =>
      trunk
        .send({ method: 'DELETE', path: `/v1/containers/${record.id}?force=1`, signal })
        .catch((error: unknown) => ctx.log(`end container \`${record.name}\`: ${String(error)}`)),
    ),
  );
}

function containersOf(ctx: Context, guestId: string) {
  return ctx.state.containers.all().filter(({ guest }) => guest === guestId);
}

const ANSWER_MILLISECONDS = 3_000;
