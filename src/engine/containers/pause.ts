import { ContainerState } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { agentOf } from './agent.ts';
import { observe } from './observe.ts';
import { isRunning } from './stats.ts';

/** Stops all processes of a container where they are. A paused one stays so. @throws NestError `conflict` when it does not run. */
export const pauseContainer = (ctx: Context, container: Container) => turn(ctx, container, 'pause');

/** Lets a paused container go on; one that is not paused does so anyway. @throws NestError `conflict` when it does not run. */
export const unpauseContainer = (ctx: Context, container: Container) => turn(ctx, container, 'resume');

async function turn(ctx: Context, container: Container, verb: 'pause' | 'resume'): Promise<void> {
  const { id, name } = container.record;
  if (!isRunning(container))
    throw new NestError('conflict', `${verb} container \`${name}\`: it is not running`, {
      hint: `\`nest ps -a\` shows its state`,
    });
  const agent = await agentOf(ctx, container);
  observe(ctx, await agent.request({ method: 'POST', path: `/v1/containers/${id}/${verb}` }, ContainerState));
}
