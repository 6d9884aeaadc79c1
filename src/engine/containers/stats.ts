import { setTimeout as pause } from 'node:timers/promises';
import { ContainerProcesses, type ContainerProcess, ContainerStats } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { agentOf } from './agent.ts';

/** What a running container uses now. @throws NestError `conflict` when it does not run. */
export async function readStats(ctx: Context, container: Container): Promise<ContainerStats> {
  const agent = await agentOf(ctx, container);
  return agent.request({ method: 'GET', path: `/v1/containers/${container.record.id}/stats` }, ContainerStats);
}

/**
 * A reading each second with the one before it, for as long as the container exists; none while it does not run. Whoever
 * takes them sets the pace.
 */
export async function* followStats(
  ctx: Context,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<{ now: ContainerStats; before: ContainerStats | null }> {
  let before: ContainerStats | null = null;
  while (!signal.aborted) {
    const container = ctx.state.containers.get(id);
    if (container === undefined) return;
    const now: ContainerStats | null = isRunning(container) ? await readStats(ctx, container) : null;
    if (now !== null) yield { now, before };
    before = now;
    await pause(INTERVAL, undefined, { signal }).catch(() => undefined);
  }
}

/** Two readings a second apart: what processor time was used in between. */
export async function measureStats(ctx: Context, container: Container, signal: AbortSignal) {
  const before = await readStats(ctx, container);
  await pause(INTERVAL, undefined, { signal });
  return { now: await readStats(ctx, container), before };
}

/** The container's processes, by their numbers in the guest. @throws NestError `conflict` when it does not run. */
export async function listProcesses(ctx: Context, container: Container): Promise<ContainerProcess[]> {
  const { id, name } = container.record;
  if (!isRunning(container))
    throw new NestError('conflict', `list the processes of container \`${name}\`: it is not running`, {
      hint: '`nest ps -a` shows its state',
    });
  const agent = await agentOf(ctx, container);
  return agent.request({ method: 'GET', path: `/v1/containers/${id}/processes` }, ContainerProcesses);
}

export const isRunning = ({ lost, state }: Container) => lost === null && state.status === 'running';

/** Milliseconds, as Docker's engine has it. */
const INTERVAL = 1000;
