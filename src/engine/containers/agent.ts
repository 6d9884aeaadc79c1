import { NestError } from '../../errors.ts';
import type { Trunk } from '../../trunk/trunk.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';

/** The trunk to the guest that has the container. @throws NestError `guest-lost`, `conflict`. */
export async function agentOf(ctx: Context, container: Container): Promise<Trunk> {
  const { guest, lost, record } = container;
  if (lost !== null)
    throw new NestError('guest-lost', `container \`${record.name}\`: ${lost}`, {
      hint: `start it in another guest: nest start ${record.name}; or remove it: nest rm ${record.name}`,
    });
  if (guest === null || container.phase === 'creating')
    throw new NestError('conflict', `container \`${record.name}\` is being created`, { hint: 'try again' });
  const { guests } = await ctx.link.running(guest);
  return guests.trunk(guest);
}
