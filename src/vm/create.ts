import { NestError } from '../errors.ts';
import type { BootFiles } from '../guest-image/guest-image.ts';
import type { StockImage } from '../guest-image/stock-image.ts';
import { domainXml } from '../libvirt/domain-xml.ts';
import { writeMetadata } from '../libvirt/metadata.ts';
import type { Progress } from '../progress.ts';
import { chooseAccelerator } from './accelerator.ts';
import { bootError } from './boot-error.ts';
import { defineClone, makeClone } from './clone.ts';
import { domainSpec, makeFiles, stored } from './domain.ts';
import { greet } from './greet.ts';
import type { GuestRequest } from './guests.ts';
import { follow, update, type Guest, type Host } from './host.ts';
import { newIdentity, newRecord, type GuestRecord } from './record.ts';
import { limitProcess } from './process-limits.ts';
import { removeGuest } from './remove.ts';
import { deployAgent } from './stock/deploy.ts';
import { makeStockFiles } from './stock/files.ts';
import type { Template } from './template/store.ts';

/** How a guest comes to run: what is done, and how long it and the agent's answer may take. */
interface Beginning {
  title: string;
  /** Milliseconds. */
  limit: number;
  run(guest: Guest, signal: AbortSignal): Promise<void>;
  /** What is done for it while its agent wakes up. */
  meanwhile?(guest: Guest): Promise<void>;
  /** What else is done before its agent can answer. */
  then?(guest: Guest, progress: Progress, signal: AbortSignal): Promise<void>;
}

/**
 * Makes a new guest and waits until its agent knows who it is. It is a clone from the pool where one waits, a new clone
 * where there is a template, or else booted; one of a stock image is always booted. What fails is followed by the next of these.
 */
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
  const stock = request.stock == null ? undefined : await host.stockImage(request.stock);
  const template = stock === undefined ? await host.templates?.get(made, progress, signal) : undefined;
  const own = { name: request.name, zone: request.zone };
  const fresh = (from?: Template) =>
    newRecord({ ...newIdentity(host.instance), ...own }, { ...made, stock, template: from?.digest ?? null });
  const make = (record: GuestRecord, beginning: Beginning) => makeGuest(host, record, beginning, progress, signal);

  if (stock !== undefined) return make(fresh(), stockBoot(host, { boot, stock, accelerator }));
  if (template === undefined) return make(fresh(), coldBoot(host, boot, accelerator));

  const waiting = host.pool?.take(template);
  const taken = waiting && make({ ...waiting, ...own, createdAt: Date.now(), startedAt: Date.now() }, fromPool(host));
  const guest =
    (await unlessBootFails(taken, (error) => host.log(`take a clone from the pool: ${String(error)}`))) ??
    (await unlessBootFails(make(fresh(template), clone(host, boot, template)), (error) =>
      host.templates?.discard(template, error),
    ));
  if (guest === undefined) return make(fresh(), coldBoot(host, boot, accelerator));
  host.pool?.refill({ record: fresh(template), boot, template });
  return guest;
}

async function makeGuest(
  host: Host,
  record: GuestRecord,
  beginning: Beginning,
  progress: Progress,
  signal?: AbortSignal,
): Promise<GuestRecord> {
  const { id, name, domain } = record;
  const { title, limit } = beginning;
  const guest = follow(host, record);
  host.reserved.delete(id);
  await using undo = new AsyncDisposableStack();
  // What cannot be removed now, because libvirt went away, says `starting` and is removed by the next adopt().
  undo.defer(() => removeGuest(host, id).catch(() => undefined));
  const over = AbortSignal.any([guest.ended.signal, AbortSignal.timeout(limit), ...(signal ? [signal] : [])]);
  try {
    signal?.throwIfAborted();
    await progress.step(`${title} ${name}`, () => beginning.run(guest, over));
    const greeted = async () => {
      await beginning.then?.(guest, progress, over);
      guest.trunk.hurry();
      await progress.step(`Wait for agent of guest ${name}`, () => greet(host, guest, over));
    };
    const limited = limitProcess(domain, { uri: host.libvirt.uri, ...record });
    await Promise.all([greeted(), limited, beginning.meanwhile?.(guest)]);
    await writeMetadata(host.libvirt, domain, stored(host, guest.record, 'running'));
    signal?.throwIfAborted();
  } catch (error) {
    throw await bootError(host, guest, error, { limit, signal });
  }
  undo.move();
  update(host, guest, { state: guest.ended.signal.aborted ? 'stopped' : 'running' });
  return guest.record;
}

function coldBoot(host: Host, boot: BootFiles, accelerator: GuestRecord['accelerator']): Beginning {
  return {
    title: 'Start guest',
    limit: host.bootLimit({ accelerator, stock: null }),
    async run({ record }) {
      await makeFiles(host, record.id);
      await host.libvirt.define(domainXml(domainSpec(host, record, boot)));
      await host.libvirt.start(record.domain);
    },
  };
}

/** A distribution's own boot, which takes its time; the agent comes over SSH. */
function stockBoot(
  host: Host,
  { boot, stock, accelerator }: { boot: BootFiles; stock: StockImage; accelerator: GuestRecord['accelerator'] },
): Beginning {
  return {
    title: `Boot ${stock.name} as guest`,
    limit: host.bootLimit({ accelerator, stock: stock.name }),
    async run({ record }) {
      await makeFiles(host, record.id, { quotas: false });
      await makeStockFiles(host, record, stock);
      await host.libvirt.define(domainXml(domainSpec(host, record, stock)));
      await host.libvirt.start(record.domain);
    },
    then: (guest, progress, signal) => deployAgent(host, guest, { boot, progress, signal }),
  };
}

function clone(host: Host, boot: BootFiles, template: Template): Beginning {
  return {
    title: 'Clone guest',
    limit: CLONE_LIMIT_MS,
    async run({ record }, signal) {
      await makeClone(host, record, { boot, template }, signal);
      await host.libvirt.resume(record.domain);
    },
    meanwhile: ({ record }) => defineClone(host, record, boot),
  };
}

function fromPool(host: Host): Beginning {
  return {
    title: 'Take guest from the pool:',
    limit: CLONE_LIMIT_MS,
    run: ({ record: { domain } }) => host.libvirt.resume(domain),
  };
}

/** Undefined when the guest did not come up; any other failure is thrown. */
async function unlessBootFails(
  guest: Promise<GuestRecord> | undefined,
  failed: (error: NestError) => Promise<void> | undefined | void,
): Promise<GuestRecord | undefined> {
  try {
    return await guest;
  } catch (error) {
    if (!(error instanceof NestError) || error.code !== 'boot-failed') throw error;
    await failed(error);
    return undefined;
  }
}

/** Many times what a clone takes, for a host that is busy. */
const CLONE_LIMIT_MS = 30_000;
