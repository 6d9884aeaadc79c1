import { NestError } from '../../errors.ts';
import { countedMemory, HOST_RESERVE } from '../../placement/place.ts';
import { checkResize } from '../../placement/resize.ts';
import { isShape } from '../../placement/shape.ts';
import type { GuestRecord } from '../../vm/guests.ts';
import { cpuLimit, memoryLimit } from '../containers/limits.ts';
import type { Context } from '../context.ts';
import type { HostCapacity } from './seats.ts';

/**
 * Changes what a guest is promised, from its next start on.
 *
 * @throws NestError `invalid-input`, `no-room`
 */
export async function resizeGuest(
  ctx: Context,
  guest: GuestRecord,
  { vcpus, memory }: { vcpus?: number | undefined; memory?: number | undefined },
  host: HostCapacity,
): Promise<void> {
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
  await (await ctx.link.open()).resize(guest.id, shape);
}
