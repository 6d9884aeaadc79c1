import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { NestError } from '../errors.ts';
import { writeMetadata } from '../libvirt/metadata.ts';
import { update, type Guest, type Host } from './host.ts';
import { domainName } from './record.ts';

/**
 * Has a guest turn itself off, so that its disk can be used again. Its containers should have been stopped before. Only
 * then its domain says `stopped`: an engine that is killed on the way meets a guest that ended, and trusts no disk.
 *
 * @throws NestError `guest-lost` when it did not, or ended in another way; it is then what it was, or ended.
 */
export async function stopGuest(host: Host, guest: Guest): Promise<void> {
  const { id, name } = guest.record;
  if (guest.record.state === 'stopped') return;
  const domain = domainName(host.instance, id);
  const limit = AbortSignal.timeout(LIMIT);
  guest.stopping = true;
  try {
    if (guest.record.state === 'paused') await host.libvirt.resume(domain);
    await guest.trunk.send({ method: 'POST', path: '/v1/poweroff', signal: limit });
    if (!guest.ended.signal.aborted) await once(guest.ended.signal, 'abort', { signal: limit });
  } catch (error) {
    guest.stopping = false;
    const ended = guest.ended.signal.aborted;
    if (ended) update(host, guest, { state: 'stopped', reason: 'it ended while it was being stopped' });
    throw new NestError('guest-lost', `stop guest \`${name}\`: it did not turn itself off within ${LIMIT / 1000} s`, {
      hint: `See its console: nest vm console ${name}; or delete it: nest vm delete --force ${name}`,
      cause: error,
    });
  }
  const turnedOff = await wasTurnedOff(host, domain);
  guest.stopping = false;
  if (turnedOff) {
    await writeMetadata(host.libvirt, domain, {
      instance: host.instance,
      guest: { ...guest.record, state: 'stopped', reason: null },
    });
    update(host, guest, { state: 'stopped', reason: null });
  } else update(host, guest, { state: 'stopped', reason: 'it ended while it was being stopped' });
}

/** Its QEMU has gone; libvirt notices a moment later, and on its way there calls it `shutdown` and not active. */
async function wasTurnedOff(host: Host, domain: string): Promise<boolean> {
  for (;;) {
    const last = await host.libvirt.lookup(domain);
    if (last === undefined || (!last.active && last.state !== 'shutdown')) return last?.turnedOff === true;
    await delay(POLL);
  }
}

/** Milliseconds. */
const POLL = 50;
const LIMIT = 60_000;
