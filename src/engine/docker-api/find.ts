import type { Context } from '../context.ts';
import type { Call } from '../http/route.ts';
import type { Container } from '../state/record.ts';

/** The container that the path names, its state as its guest tells it. @throws NestError `not-found`, `libvirt-unavailable`. */
export async function findContainer(ctx: Context, call: Call): Promise<Container> {
  await seeGuests(ctx);
  return ctx.state.containers.find(call.params['id'] ?? '');
}

/**
 * After a start of the engine, states are only true once the guests have told theirs. Where there is nothing to tell, an
 * absent libvirt is no error.
 */
export async function seeGuests(ctx: Context): Promise<void> {
  const known = ctx.state.containers.all().length > 0;
  if (!known && ctx.state.adoptBefore === null) return;
  try {
    await ctx.link.open();
    await ctx.watch.settled();
  } catch (error) {
    if (known) throw error;
  }
}
