import {
  ContainerRecord,
  type ContainerUpdate,
  type Limits,
  mergeLimits,
  type RestartPolicy,
} from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { agentOf } from './agent.ts';
import { emitContainer } from './emit.ts';

/**
 * Changes limits, one by one, and the restart policy, of a running container at once. The agent comes first: a crash in
 * between leaves limits that are in force but not shown, until the same is asked again.
 *
 * @throws NestError `conflict`, `invalid-input` for what the guest's kernel does not take.
 */
export async function updateContainer(
  ctx: Context,
  container: Container,
  change: { limits: Limits; restart: RestartPolicy | null },
): Promise<void> {
  const { record } = container;
  const restart = change.restart ?? record.spec.restart;
  if (container.phase !== 'created')
    throw new NestError('conflict', `update container \`${record.name}\`: it is being changed`, { hint: 'try again' });
  if (record.autoRemove && restart.name !== 'no')
    throw new NestError('invalid-input', `update container \`${record.name}\`: it is removed when it ends`, {
      hint: 'a container of `nest run --rm` has no restart policy',
    });
  const body = { limits: mergeLimits(record.spec.limits, change.limits), restart } satisfies ContainerUpdate;
  const agent = await agentOf(ctx, container);
  await agent.request({ method: 'POST', path: `/v1/containers/${record.id}/update`, body }, ContainerRecord);
  const now = ctx.state.containers.get(record.id);
  if (now === undefined) return;
  const updated = { ...now, record: { ...now.record, spec: { ...now.record.spec, ...body } } };
  ctx.state.containers.save(updated);
  emitContainer(ctx, 'update', updated);
}
