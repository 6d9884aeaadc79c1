import { isDeepStrictEqual } from 'node:util';
import type { ContainerState } from '../../../guest-agent/api.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { emitContainer } from './emit.ts';
import { autoRemove } from './remove.ts';

/** Takes in what the agent says of a container: keeps it, tells it on, opens or closes the published ports. */
export function observe(ctx: Context, state: ContainerState): void {
  const before = ctx.state.containers.get(state.id);
  if (before === undefined || (before.lost === null && isOld(before.state, state))) return;
  change(ctx, before, { ...before, state, lost: null });
}

/** A guest ended: its containers did too. */
export function loseContainers(ctx: Context, guestId: string, reason: string): void {
  for (const container of ctx.state.containers.all()) if (container.guest === guestId) lose(ctx, container, reason);
}

/** Somebody has stopped the guest: the container waits there. @param wasUp it ran until then */
export function parkContainer(ctx: Context, container: Container, reason: string, wasUp: boolean): void {
  const { id } = container.record;
  const status = wasUp && runsAgain(container) ? ('restarting' as const) : container.state.status;
  ctx.state.containers.update(id, { lost: reason, state: { ...container.state, status } });
}

/** The guest goes back to a snapshot: whether it has the container then, and in which state, its agent tells next. */
export async function unsettleContainer(ctx: Context, { record, state }: Container, reason: string): Promise<void> {
  await ctx.ports.close(record.id);
  ctx.state.containers.update(record.id, { lost: reason, state: { ...state, status: 'exited', pid: 0 }, bindings: [] });
}

/** The guest runs but no longer has the container. */
export function vanished(ctx: Context, id: string): void {
  const container = ctx.state.containers.get(id);
  if (container?.phase === 'created') lose(ctx, container, 'its guest no longer has it');
}

/** Its guest has ended, and it is to run again in another one. */
export function waitsForGuest({ lost, state }: Container): boolean {
  return lost !== null && state.status === 'restarting';
}

export function isUp(container: Container): boolean {
  return container.lost === null && UP.has(container.state.status);
}

function lose(ctx: Context, before: Container, reason: string): void {
  if (before.lost !== null) return;
  const status = runsAgain(before) ? ('restarting' as const) : ('exited' as const);
  const ended = UP.has(before.state.status)
    ? { status, paused: false, health: 'none' as const, pid: 0, exitCode: LOST_EXIT_CODE, finishedAt: Date.now() }
    : {};
  change(ctx, before, { ...before, lost: reason, state: { ...before.state, ...ended, error: reason } });
  ctx.heal.consider(before.record.id);
}

/** What the restart policy says about a container whose guest has ended under it. */
function runsAgain({ record, state }: Container): boolean {
  const { name, maximumRetries } = record.spec.restart;
  return name === 'on-failure' ? maximumRetries === 0 || state.restarts < maximumRetries : name !== 'no';
}

function change(ctx: Context, before: Container, changed: Container): void {
  const after = isUp(changed) ? changed : { ...changed, bindings: [] };
  ctx.state.containers.save(after);
  if (after.state.startedAt !== before.state.startedAt && after.state.startedAt > 0) emitContainer(ctx, 'start', after);
  if (after.state.paused !== before.state.paused && after.state.status === 'running')
    emitContainer(ctx, after.state.paused ? 'pause' : 'unpause', after);
  if (after.state.health !== before.state.health && JUDGED.has(after.state.health))
    emitContainer(ctx, `health_status: ${after.state.health}`, after);
  if (after.state.oomKilled && !before.state.oomKilled) emitContainer(ctx, 'oom', after);
  const ended = after.state.finishedAt > before.state.finishedAt || (isUp(before) && !isUp(after));
  const died = ended && after.state.status !== 'running';
  if (died) emitContainer(ctx, 'die', after, { exitCode: String(after.state.exitCode) });
  if (isUp(after)) restorePorts(ctx, after.record.id);
  else {
    void ctx.ports.close(after.record.id);
    if (died && after.guest !== null && after.record.spec.volumes?.length) ctx.volumes.consider(after.guest);
    if (died && after.record.autoRemove) autoRemove(ctx, after);
  }
}

/** Where a running container's ports do not listen, as after a restart of the engine: the same ones, which its users know. */
export function restorePorts(ctx: Context, id: string): void {
  const container = ctx.state.containers.get(id);
  if (container === undefined || !isUp(container) || container.record.publish.length === 0 || ctx.ports.has(id)) return;
  const { record, bindings } = container;
  const restore = async () => {
    const open = await ctx.ports.open(record.id, bindings.length > 0 ? bindings : record.publish);
    const now = ctx.state.containers.get(record.id);
    if (now !== undefined && isUp(now)) ctx.state.containers.update(record.id, { bindings: open });
    else await ctx.ports.close(record.id);
  };
  restore().catch((error: unknown) => ctx.log(`publish ports of \`${record.name}\`: ${String(error)}`));
}

/**
 * The reply to a request and the stream of events overtake each other: a reply `running` may come after the event
 * `exited` of the same start.
 */
function isOld(known: ContainerState, heard: ContainerState): boolean {
  if (isDeepStrictEqual(known, heard)) return true;
  if (heard.startedAt !== known.startedAt) return heard.startedAt < known.startedAt;
  return heard.finishedAt < known.finishedAt || (known.status === 'exited' && heard.status !== 'exited');
}

const JUDGED = new Set<ContainerState['health']>(['healthy', 'unhealthy']);
const UP = new Set<ContainerState['status']>(['running', 'restarting']);

/** As if killed: 128 + SIGKILL. */
const LOST_EXIT_CODE = 137;
