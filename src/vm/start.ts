import { NestError } from '../errors.ts';
import { reshaped } from '../libvirt/description.ts';
import { writeMetadata } from '../libvirt/metadata.ts';
import type { Progress } from '../progress.ts';
import { bootError } from './boot-error.ts';
import { greet } from './greet.ts';
import { limitProcess } from './process-limits.ts';
import { follow, update, type Guest, type Host } from './host.ts';
import { domainName } from './record.ts';

/**
 * Boots a guest that was stopped, with the disk that it has, and waits for its agent. When that fails it is stopped as
 * before.
 *
 * @throws NestError `conflict` for one that ended in another way: its disk has no journal, and was not unmounted.
 */
export async function startGuest(host: Host, guest: Guest, progress: Progress, signal?: AbortSignal): Promise<void> {
  const { record } = guest;
  if (record.state !== 'stopped') return;
  if (record.reason !== null)
    throw new NestError('conflict', `start guest \`${record.name}\`: ${record.reason}; its disk may be damaged`, {
      hint: `Its containers start in other guests: nest start CONTAINER. Delete it: nest vm delete ${record.name}`,
    });
  const domain = domainName(host.instance, record.id);
  const shape = record.next ?? record.shape;
  // Before its record says so: should this end on the way, it is done again.
  if (record.next !== null) await host.libvirt.define(reshaped(await host.libvirt.definition(domain), record.next));
  const limit = host.bootLimit(record);
  const booting = follow(host, { ...record, shape, next: null, startedAt: Date.now(), state: 'starting' });
  const stored = { ...booting.record, state: 'running' as const };
  try {
    // From here on its disk is in use: should it or the engine end on the way, it is not trusted again.
    await writeMetadata(host.libvirt, domain, { instance: host.instance, guest: stored });
    await progress.step(`Start guest ${record.name}`, () => host.libvirt.start(domain));
    await limitProcess(domain, { uri: host.libvirt.uri, ...booting.record });
    const ended = [booting.ended.signal, AbortSignal.timeout(limit), ...(signal ? [signal] : [])];
    await progress.step(`Wait for agent of guest ${record.name}`, () => greet(host, booting, AbortSignal.any(ended)));
    await writeMetadata(host.libvirt, domain, { instance: host.instance, guest: { ...booting.record, ...RUNNING } });
  } catch (error) {
    const failure = await bootError(host, booting, error, { limit, signal });
    booting.ended.abort();
    booting.trunk.close();
    await host.libvirt.destroy(domain);
    update(host, booting, { state: 'stopped', reason: 'it did not start again' });
    throw failure;
  }
  update(host, booting, { state: booting.ended.signal.aborted ? 'stopped' : 'running' });
}

const RUNNING = { state: 'running', reason: null } as const;
