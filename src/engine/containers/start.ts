import { ContainerState } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { Container, PortBinding } from '../state/record.ts';
import { attachVolumes } from '../volumes/attach.ts';
import { agentOf } from './agent.ts';
import { isUp, observe } from './observe.ts';
import { replaceContainer } from './replace.ts';

/**
 * Starts a container, in another guest where its own has ended; its published ports listen before its first instruction.
 * @returns false when it runs already.
 * @throws NestError `port-taken`, `exec-failed`, `guest-lost`; nothing listens then.
 */
export async function startContainer(ctx: Context, container: Container): Promise<boolean> {
  if (isUp(container)) return false;
  const { id, publish } = container.record;
  if (container.lost !== null) return startElsewhere(ctx, container);
  if (container.phase !== 'created' || ctx.ports.has(id))
    throw new NestError('conflict', `start container \`${container.record.name}\`: it is being changed`, {
      hint: 'try again',
    });
  const agent = await agentOf(ctx, container);
  await using undo = new AsyncDisposableStack();
  // Until its state says that it runs.
  using volumes = new DisposableStack();
  volumes.use(await attachVolumes(ctx, container));
  const bindings = await openPorts(ctx, container, publish);
  undo.defer(() => ctx.ports.close(id));
  ctx.state.containers.update(id, { bindings });
  const state = await agent.request({ method: 'POST', path: `/v1/containers/${id}/start` }, ContainerState);
  undo.move();
  observe(ctx, state);
  return true;
}

/** Its guest has ended: it begins anew in another one. One that somebody has stopped is theirs to start. */
async function startElsewhere(ctx: Context, container: Container): Promise<boolean> {
  const { id, name, zone } = container.record;
  const guest = (await ctx.link.open()).get(container.guest ?? '');
  if (guest?.reason === null)
    throw new NestError('conflict', `start container \`${name}\`: guest ${guest.name} is stopped`, {
      hint: `nest vm start ${guest.name}`,
    });
  await ctx.heal.leave(id);
  await replaceContainer(ctx, container, ctx.progress.of(zone));
  return startContainer(ctx, ctx.state.containers.find(id));
}

async function openPorts(ctx: Context, container: Container, publish: PortBinding[]): Promise<PortBinding[]> {
  if (publish.length === 0) return [];
  try {
    return await ctx.ports.open(container.record.id, publish);
  } catch (error) {
    const owner = error instanceof NestError && error.code === 'port-taken' ? portOwner(ctx, publish) : undefined;
    if (owner === undefined || !(error instanceof NestError)) throw error;
    throw new NestError(error.code, `${error.message} by container ${owner}`, {
      hint: `publish another port, or remove it: nest rm --force ${owner}`,
      cause: error,
    });
  }
}

function portOwner(ctx: Context, publish: PortBinding[]): string | undefined {
  const ports = new Set(publish.map(({ hostPort }) => hostPort));
  return ctx.state.containers.all().find(({ bindings }) => bindings.some(({ hostPort }) => ports.has(hostPort)))?.record
    .name;
}
