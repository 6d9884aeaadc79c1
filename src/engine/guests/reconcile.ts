import * as v from 'valibot';
import type { ContainerRecord as AgentRecord } from '../../../guest-agent/api.ts';
import type { GuestRecord } from '../../vm/guests.ts';
import { ANNOTATION } from '../containers/annotation.ts';
import { findImage } from '../containers/create.ts';
import { observe, restorePorts, vanished, waitsForGuest } from '../containers/observe.ts';
import { dropContainer } from '../containers/remove.ts';
import { startContainer } from '../containers/start.ts';
import type { Context } from '../context.ts';
import { ContainerMeta, ContainerRecord, type Container } from '../state/record.ts';

/**
 * Makes the engine's rows and what a guest has agree, whatever was interrupted in between:
 * a row in `removing` is removed; a row in `creating` that an earlier run left is finished when the agent has it, and
 * dropped when not; a container without a row is adopted when the database was lost, and removed otherwise.
 */
export async function reconcile(ctx: Context, guest: GuestRecord, records: AgentRecord[]): Promise<void> {
  const present = new Map(records.map((record) => [record.spec.id, record]));
  for (const container of ctx.state.containers.all().filter((candidate) => candidate.guest === guest.id)) {
    const { id } = container.record;
    const record = present.get(id);
    present.delete(id);
    if (ctx.creating.has(id)) continue;
    if (container.phase === 'removing' || (container.phase === 'creating' && record === undefined))
      await dropContainer(ctx, container);
    else if (record === undefined) vanished(ctx, id);
    else {
      if (container.phase === 'creating') ctx.state.containers.update(id, { phase: 'created' });
      const again = waitsForGuest(container);
      observe(ctx, record.state);
      restorePorts(ctx, id);
      if (again) void ctx.work.track(startAgain(ctx, guest, container));
    }
  }
  for (const record of present.values()) await meetStranger(ctx, guest, record);
}

/** Its guest was stopped and has been started, with nothing mounted and no process. */
async function startAgain(ctx: Context, guest: GuestRecord, { record }: Container): Promise<void> {
  try {
    const image = await findImage(ctx, record.image.id);
    const { guests } = await ctx.link.running(guest.id);
    const layers = await ctx.images.layers(image, ctx.progress.of(guest.zone));
    await Promise.all(layers.map((layer) => guests.attachLayer(guest.id, layer)));
    await startContainer(ctx, ctx.state.containers.find(record.id));
  } catch (error) {
    ctx.log(`start container \`${record.name}\` again: ${String(error)}`);
  }
}

async function meetStranger(ctx: Context, guest: GuestRecord, record: AgentRecord): Promise<void> {
  const { id } = record.spec;
  // Not made by this engine, or a claim on another guest's container: a hostile guest may list what it likes.
  const known = ctx.state.containers.get(id);
  const meta = ctx.creating.has(id) ? undefined : sealedMeta(ctx, record);
  if (meta === undefined) return;
  const forgotten = known === undefined && meta.createdAt < (ctx.state.adoptBefore ?? 0);
  if (forgotten && meta.id === id && meta.zone === guest.zone) {
    ctx.state.containers.save(adopted(guest, meta, record));
    ctx.log(`adopted container \`${meta.name}\` from guest \`${guest.name}\``);
    observe(ctx, record.state);
    return;
  }
  const { guests } = await ctx.link.running(guest.id);
  await guests.trunk(guest.id).send({ method: 'DELETE', path: `/v1/containers/${id}?force=1` });
}

function sealedMeta(ctx: Context, { spec }: AgentRecord): ContainerMeta | undefined {
  const text = ctx.instance.unseal(spec.annotations[ANNOTATION] ?? '');
  return text === undefined ? undefined : v.parse(ContainerMeta, JSON.parse(text));
}

/** As created: what the agent says of its state is observed next, like any change. */
function adopted(guest: GuestRecord, meta: ContainerMeta, { spec, state }: AgentRecord): Container {
  return {
    record: v.parse(ContainerRecord, { ...meta, spec }),
    phase: 'created',
    guest: guest.id,
    lost: null,
    state: { ...state, status: 'created', pid: 0, startedAt: 0, finishedAt: 0, oomKilled: false },
    bindings: [],
  };
}
