import { NestError } from '../errors.ts';
import { setClock } from './greet.ts';
import { update, type Guest, type Host } from './host.ts';
import { domainName } from './record.ts';

/** Stops the guest's processors, and with them its containers; memory stays as it is. One that is paused stays so. */
export async function pauseGuest(host: Host, guest: Guest): Promise<void> {
  const { state, name } = guest.record;
  if (state === 'paused') return;
  if (state !== 'running' && state !== 'unreachable')
    throw new NestError('conflict', `pause guest \`${name}\`: it is ${state}`);
  // First, so that its silence is not taken for its end.
  update(host, guest, { state: 'paused', reason: null });
  try {
    await host.libvirt.suspend(domainName(host.instance, guest.record.id));
  } catch (error) {
    update(host, guest, { state: 'unreachable' });
    throw error;
  }
}

/** Lets a paused guest go on; one that runs goes on running. */
export async function resumeGuest(host: Host, guest: Guest): Promise<void> {
  const { state, name } = guest.record;
  if (state === 'running' || state === 'unreachable') return;
  if (state !== 'paused') throw new NestError('conflict', `resume guest \`${name}\`: it is ${state}`);
  await host.libvirt.resume(domainName(host.instance, guest.record.id));
  // Its clock stood still too.
  await setClock(guest.trunk, AbortSignal.timeout(CLOCK_LIMIT)).catch((error: unknown) =>
    host.log(`set clock of guest \`${name}\`: ${String(error)}`),
  );
  update(host, guest, { state: guest.trunk.connected ? 'running' : 'unreachable', reason: null });
}

/** Milliseconds; a guest that does not answer is not waited for. */
const CLOCK_LIMIT = 5_000;
