import { NestError } from '../errors.ts';
import { memoryFor } from './overhead.ts';
import { mebibytes, mebibytesUp, type PlacementGuest, type PlacementHost } from './place.ts';
import type { Shape } from './shape.ts';

/**
 * Whether a guest can be promised something else from its next start on. Pure.
 *
 * @param widest cores that one of its containers may use
 * @throws NestError `no-room` when its containers would not fit, or the host has no room for it
 */
export function checkResize(
  guest: Pick<PlacementGuest, 'name' | 'memory' | 'committed'>,
  { shape, widest, host }: { shape: Shape; widest: number; host: PlacementHost },
): void {
  const refuse = (why: string, hint: string) =>
    new NestError('no-room', `resize guest \`${guest.name}\`: ${why}`, { hint });
  const needed = memoryFor(guest.committed);
  if (shape.memory < needed)
    throw refuse(
      `its containers need ${mebibytesUp(needed)} with kernel and agent, ${mebibytes(shape.memory)} asked`,
      'Ask for more, or remove containers: nest ps, nest rm',
    );
  if (shape.vcpus < widest)
    throw refuse(
      `one of its containers may use ${widest} CPUs, ${shape.vcpus} asked`,
      'Ask for more, or nest update it.',
    );
  if (shape.vcpus > host.cpus)
    throw refuse(`${shape.vcpus} processors asked, the host has ${host.cpus}`, `Ask for at most ${host.cpus}.`);
  const more = shape.memory - guest.memory;
  if (more > host.memoryAvailable - host.reserve)
    throw refuse(
      `${mebibytesUp(more)} more asked, the host has ${mebibytes(host.memoryAvailable)} and keeps ${mebibytesUp(host.reserve)} free`,
      'Ask for less, or delete a guest: nest vm list, nest vm delete',
    );
}
