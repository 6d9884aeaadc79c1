import { NestError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { emitContainer } from './emit.ts';

/** The agent keeps the old name in its annotation: it is only read when the database was lost. */
export function renameContainer(ctx: Context, container: Container, name: string): void {
  if (container.phase !== 'created')
    throw new NestError('conflict', `rename container \`${container.record.name}\`: it is being changed`, {
      hint: 'try again',
    });
  const renamed = { ...container, record: { ...container.record, name } };
  ctx.state.containers.save(renamed);
  emitContainer(ctx, 'rename', renamed, { oldName: container.record.name });
}
