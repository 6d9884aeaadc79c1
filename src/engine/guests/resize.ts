import { NestError } from '../../errors.ts';
import { countedMemory, HOST_RESERVE } from '../../placement/place.ts';
import { checkResize } from '../../placement/resize.ts';
import { isShape } from '../../placement/shape.ts';
import type { GuestRecord, GuestShape } from '../../vm/guests.ts';
import { cpuLimit, memoryLimit } from '../containers/limits.ts';
import type { Context } from '../context.ts';
import { alone } from './life-cycle.ts';
import type { HostCapacity } from './seats.ts';

/**
 * Changes what a guest is promised, from its next start on.
 *
 * @throws NestError `invalid-input`, `no-room`, `conflict` while it is changed or something is placed in it
 */
export async function resizeGuest(
  ctx: Context,
  { id, name }: GuestRecord,
  shape: WantedShape,
  host: HostCapacity,
): Promise<void> {
  await alone(ctx, id, name, async () => {
    const guests = await ctx.link.open();
    const guest = guests.get(id);
    if (guest === undefined)
      throw new NestError('not-found', `No such guest: ${name}`, { hint: '`nest vm list` lists them' });
    await guests.resize(id, await checkedShape(ctx, guest, shape, host));
  });
}

async function checkedShape(
  ctx: Context,
  guest: GuestRecord,
  { vcpus, memory }: WantedShape,
  host: HostCapacity,
): Promise<GuestShape> {
  const wanted = guest.next ?? guest.shape;
  const shape = { vcpus: vcpus ?? wanted.vcpus, memory: memory ?? wanted.memory };
  if (!isShape(shape))
    throw new NestError(
      'invalid-input',
      `resize guest \`${guest.name}\`: no guest can be ${shape.vcpus} × ${shape.memory} bytes`,
      {
        hint: '1 to 64 processors, 256 MiB to 1 TiB in whole MiB',
      },
    );
  const limits = ctx.state.containers.all().filter((container) => container.guest === guest.id);
  const committed = limits.reduce((sum, { record }) => sum + countedMemory(memoryLimit(record.spec.limits)), 0);
  const widest = Math.max(0, ...limits.map(({ record }) => Math.ceil(cpuLimit(record.spec.limits) ?? 0)));
  const capacity = { memoryAvailable: await host.memoryAvailable(), cpus: host.cpus, reserve: HOST_RESERVE };
  checkResize({ name: guest.name, memory: guest.shape.memory, committed }, { shape, widest, host: capacity });
  return shape;
}

interface WantedShape {
  vcpus?: number | undefined;
  /** Bytes. */
  memory?: number | undefined;
}
