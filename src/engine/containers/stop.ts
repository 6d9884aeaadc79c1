import { ContainerState } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { agentOf } from './agent.ts';
import { emitContainer } from './emit.ts';
import { isUp, observe, waitsForGuest } from './observe.ts';

/**
 * Stop signal, grace period, SIGKILL.
 * @param seconds undefined for the container's own grace period
 * @returns false when it did not run.
 */
export async function stopContainer(ctx: Context, container: Container, seconds?: number): Promise<boolean> {
  const { id, spec } = container.record;
  if (waitsForGuest(container)) {
    ctx.state.containers.update(id, { state: { ...container.state, status: 'exited' } });
    await ctx.heal.leave(id);
    return true;
  }
  if (!isUp(container)) return false;
  const agent = await agentOf(ctx, container);
  const query = `seconds=${seconds ?? spec.stopSeconds}`;
  const state = await agent.request({ method: 'POST', path: `/v1/containers/${id}/stop?${query}` }, ContainerState);
  observe(ctx, state);
  emitContainer(ctx, 'stop', container);
  return true;
}

/** @param signal a name with SIG. @throws NestError `conflict` when it does not run. */
export async function killContainer(ctx: Context, container: Container, signal: string): Promise<void> {
  const { id, name } = container.record;
  if (!isUp(container))
    throw new NestError('conflict', `cannot kill container: ${name}: container ${id.slice(0, 12)} is not running`);
  const agent = await agentOf(ctx, container);
  await agent.send({ method: 'POST', path: `/v1/containers/${id}/kill?signal=${encodeURIComponent(signal)}` });
  emitContainer(ctx, 'kill', container, { signal });
}
