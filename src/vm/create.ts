import { NestError } from '../errors.ts';
import type { BootFiles } from '../guest-image/guest-image.ts';
import { domainXml } from '../libvirt/domain-xml.ts';
import { writeMetadata } from '../libvirt/metadata.ts';
import type { Progress } from '../progress.ts';
import { chooseAccelerator } from './accelerator.ts';
import { bootError } from './boot-error.ts';
import { startClone } from './clone.ts';
import { domainSpec, makeFiles, stored } from './domain.ts';
import { greet } from './greet.ts';
import type { GuestRequest } from './guests.ts';
import { follow, update, type Host } from './host.ts';
import { newIdentity, newRecord, type GuestRecord } from './record.ts';
import { removeGuest } from './remove.ts';
import type { Template } from './template/store.ts';

/** Makes a new guest, cloned where there is a template and booted where there is none, and waits for its agent. */
export async function createGuest(
  host: Host,
  request: GuestRequest,
  progress: Progress,
  signal?: AbortSignal,
): Promise<GuestRecord> {
  const boot = await host.bootFiles();
  const { accelerator, warning } = await progress.step('Choose accelerator', () =>
    chooseAccelerator(host.paths, boot, request.accelerator, signal ? { signal } : {}),
  );
  if (warning !== undefined) progress.warn(warning);
  const made = { boot, shape: request.shape, accelerator };
  const template = await host.templates?.get(made, progress, signal);
  const make = (source: Template | undefined) => {
    const own = { ...newIdentity(host.instance), name: request.name, zone: request.zone };
    const record = newRecord(own, { ...made, template: source?.digest ?? null });
    return makeGuest(host, record, { boot, template: source }, progress, signal);
  };
  if (template === undefined) return make(undefined);
  try {
    return await make(template);
  } catch (error) {
    if (!(error instanceof NestError) || error.code !== 'boot-failed') throw error;
    await host.templates?.discard(template, error);
    return make(undefined);
  }
}

async function makeGuest(
  host: Host,
  record: GuestRecord,
  { boot, template }: { boot: BootFiles; template: Template | undefined },
  progress: Progress,
  signal?: AbortSignal,
): Promise<GuestRecord> {
  const { id, name, domain } = record;
  const guest = follow(host, record);
  await using undo = new AsyncDisposableStack();
  // What cannot be removed now, because libvirt went away, says `starting` and is removed by the next adopt().
  undo.defer(() => removeGuest(host, id).catch(() => undefined));
  const limit = template === undefined ? host.bootLimit(record.accelerator) : CLONE_LIMIT_MS;
  const over = AbortSignal.any([guest.ended.signal, AbortSignal.timeout(limit), ...(signal ? [signal] : [])]);
  try {
    signal?.throwIfAborted();
    await progress.step(`${template === undefined ? 'Start' : 'Clone'} guest ${name}`, async () => {
      await makeFiles(host, id);
      const spec = domainSpec(host, record, boot);
      await host.libvirt.define(domainXml(spec));
      if (template === undefined) await host.libvirt.start(domain);
      else {
        await startClone(host, spec, template, over);
        await host.libvirt.resume(domain);
      }
      guest.trunk.hurry();
    });
    await progress.step(`Wait for agent of guest ${name}`, () => greet(host, guest, over));
    await writeMetadata(host.libvirt, domain, stored(host, guest.record, 'running'));
    signal?.throwIfAborted();
  } catch (error) {
    throw await bootError(host, guest, error, { limit, signal });
  }
  undo.move();
  update(host, guest, { state: guest.ended.signal.aborted ? 'stopped' : 'running' });
  return guest.record;
}

/** Many times what a clone takes, for a host that is busy. */
const CLONE_LIMIT_MS = 30_000;
