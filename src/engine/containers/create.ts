import { randomBytes } from 'node:crypto';
import { ContainerState, type VolumeMount } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { Image, LayerFile } from '../../images/images.ts';
import type { Progress } from '../../progress.ts';
import type { Context } from '../context.ts';
import type { Seat } from '../guests/seats.ts';
import type { Container, ContainerRecord } from '../state/record.ts';
import { sendCopies } from '../copies/send.ts';
import { removeVolume } from '../volumes/remove.ts';
import { volumeRequests } from '../volumes/request.ts';
import { anonymousMounts, takeVolumes } from '../volumes/take.ts';
import { annotations } from './annotation.ts';
import { connectionOf, present } from '../networks/attach.ts';
import { emitContainer } from './emit.ts';
import { cpuLimit, memoryLimit } from './limits.ts';
import { mergeRecord, guestWanted } from './merge.ts';
import { inventName } from './name.ts';
import type { CreateRequest } from './request.ts';

/**
 * Makes a container, and boots a guest for it where its zone has none with room. On failure nothing of it is left.
 *
 * The row comes first and ends in `created`: a crash in between leaves `creating`, which reconciliation resolves.
 *
 * @throws NestError `image-not-found`, `conflict` (the name), `no-room`, `boot-failed`, `invalid-input`.
 */
export async function createContainer(
  ctx: Context,
  request: CreateRequest,
  progress: Progress,
  signal?: AbortSignal,
): Promise<Container> {
  const { containers } = ctx.state;
  const image = await findImage(ctx, request.image);
  const id = randomBytes(32).toString('hex');
  const name = request.name ?? inventName((candidate) => containers.byName(candidate) !== undefined);
  const merged = mergeRecord(request, image, id, name);
  const { zone } = merged;
  const requests = volumeRequests(request, image);
  const anonymous = anonymousMounts(requests.filter((each) => each.name === null));
  const record = withVolumes(withNetwork(ctx, merged, request), anonymous);

  const row: Container = { record, phase: 'creating', guest: null, lost: null, state: newState(id), bindings: [] };
  containers.save(row);
  ctx.creating.add(id);
  const taken: { seat?: Seat } = {};
  await using undo = new AsyncDisposableStack();
  const made: string[] = [];
  undo.defer(() => removeMade(ctx, made));
  undo.defer(() => abandon(ctx, id, taken.seat));
  const layers = await ctx.images.layers(image, progress);
  const taking = { zone, operation: `create container \`${name}\``, requests, anonymous, owner: record.labels };
  const volumes = await takeVolumes(ctx, taking, (volume) => made.push(volume));
  // From here on they are in use, however long the guest takes to boot.
  containers.save({ ...row, record: withVolumes(record, volumes) });
  const { limits } = record.spec;
  const { accelerator } = request;
  const guest = guestWanted(record.labels, `place container \`${record.name}\``);
  const wanted = { zone, memoryLimit: memoryLimit(limits), cpus: cpuLimit(limits), accelerator, ...guest, volumes };
  const seat = await ctx.seats.take({ ...wanted, record, companions: request.companions }, progress, signal);
  taken.seat = seat;
  const placed = { ...row, record: { ...withVolumes(record, volumes), reason: seat.reason }, guest: seat.guest.id };
  containers.save(placed);
  seat.release();
  await sendCopies(ctx, seat.guest.id, placed.record, progress, signal);
  const state = await putInto(ctx, seat.guest.id, placed.record, layers, signal);
  // Whoever asked for it never learns its id.
  signal?.throwIfAborted();
  const container: Container = { ...placed, phase: 'created', state };
  containers.save(container);
  undo.move();
  ctx.creating.delete(id);
  emitContainer(ctx, 'create', container);
  return container;
}

export async function findImage(ctx: Context, name: string): Promise<Image> {
  const image = await ctx.images.find(name);
  if (image !== undefined) return image;
  throw new NestError('image-not-found', `No such image: ${name}`, {
    hint: '`nest image list` shows those that are here, `nest image load` brings one in',
  });
}

/** Hot-plugs the layers and has the agent make the container; one that it has already is success. */
export async function putInto(
  ctx: Context,
  guestId: string,
  record: ContainerRecord,
  layers: LayerFile[],
  signal?: AbortSignal,
): Promise<ContainerState> {
  const { guests } = await ctx.link.running(guestId);
  await Promise.all(layers.map((layer) => guests.attachLayer(guestId, layer)));
  const body = { ...record.spec, annotations: annotations(ctx.instance, record) };
  const request = { method: 'POST' as const, path: '/v1/containers', body, ...(signal && { signal }) };
  return guests.trunk(guestId).request(request, ContainerState);
}

function withNetwork(ctx: Context, merged: ContainerRecord, request: CreateRequest): ContainerRecord {
  const { id, name, zone, spec } = merged;
  const connection = connectionOf(request.network, { id, name, zone, hostname: spec.hostname }, present(ctx));
  return { ...merged, spec: { ...spec, ...connection } };
}

/** Undoes a create that failed anywhere. A guest that cannot be told now is told when it answers again. */
async function abandon(ctx: Context, id: string, seat: Seat | undefined): Promise<void> {
  const guests = ctx.link.current();
  const guestId = seat?.guest.id ?? '';
  const state = guests?.get(guestId)?.state;
  if (state !== undefined && state !== 'stopped')
    await guests
      ?.trunk(guestId)
      .send({ method: 'DELETE', path: `/v1/containers/${id}?force=1` })
      .catch((error: unknown) => ctx.log(`remove half-made container \`${id}\`: ${String(error)}`));
  ctx.state.containers.delete(id);
  ctx.creating.delete(id);
  if (seat?.isNew === true) await ctx.idle.removeIfEmpty(guestId);
  else ctx.idle.consider(guestId);
  ctx.unusedLayers.consider(guestId);
}

function withVolumes(record: ContainerRecord, volumes: VolumeMount[]): ContainerRecord {
  return volumes.length === 0 ? record : { ...record, spec: { ...record.spec, volumes } };
}

async function removeMade(ctx: Context, ids: string[]): Promise<void> {
  for (const volume of ids.flatMap((id) => ctx.volumes.store.get(id) ?? []))
    await removeVolume(ctx, volume).catch((error: unknown) => ctx.log(`undo: ${String(error)}`));
}

function newState(id: string): ContainerState {
  const never = { pid: 0, createdAt: Date.now(), startedAt: 0, finishedAt: 0 };
  return {
    id,
    status: 'created',
    paused: false,
    health: 'none',
    ...never,
    exitCode: 0,
    oomKilled: false,
    restarts: 0,
    error: '',
  };
}
