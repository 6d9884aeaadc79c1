import type { BootFiles } from '../guest-image/guest-image.ts';
import { defineClone, makeClone } from './clone.ts';
import type { Host } from './host.ts';
import { newIdentity, type GuestRecord } from './record.ts';
import { removeGuest } from './remove.ts';
import type { Template } from './template/store.ts';

/** What a clone is made of: its record says how, the rest where from. */
interface Source {
  record: GuestRecord;
  boot: BootFiles;
  template: Template;
}

/**
 * Clones that are ready but for their processors, `size` of each template that is in use. They belong to no zone until they
 * are taken. An engine that ends removes them; one that is killed leaves domains that say `starting`, which the next removes.
 */
export interface Pool {
  /** The record of a clone of this template; undefined where none waits. It is the taker's from now on. */
  take(template: Template): GuestRecord | undefined;
  /** Begins to make up for clones that were taken; clones of templates that this one replaces are removed. */
  refill(source: Source): void;
  /** Resolves when what has begun is done. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export function openPool(host: Host, size: number): Pool {
  const closing = new AbortController();
  const waiting: Source[] = [];
  let work = Promise.resolve();

  const inBackground = (action: () => Promise<void>) => {
    work = work.then(action).catch((error: unknown) => {
      if (!closing.signal.aborted) host.log(`fill the pool of clones: ${String(error)}`);
    });
  };
  const add = async (source: Source): Promise<void> => {
    if (closing.signal.aborted || waiting.filter(({ template }) => same(template, source.template)).length >= size)
      return;
    const record = await makeWaiting(host, source, closing.signal);
    waiting.push({ ...source, record });
  };
  const remove = async ({ record: { id } }: Source): Promise<void> => {
    await removeGuest(host, id);
    host.reserved.delete(id);
  };
  return {
    take(template) {
      const index = waiting.findIndex((clone) => same(clone.template, template));
      const [taken] = index === -1 ? [] : waiting.splice(index, 1);
      return taken?.record;
    },
    refill(source) {
      const outdated = waiting.filter((clone) => !sameParts(clone.record, source.record));
      for (const clone of outdated) {
        waiting.splice(waiting.indexOf(clone), 1);
        inBackground(() => remove(clone));
      }
      for (let n = 0; n < size; n++) inBackground(() => add(source));
    },
    settled: () => work,
    async close() {
      closing.abort();
      await work;
      for (const clone of waiting.splice(0)) await remove(clone).catch(() => undefined);
    },
  };
}

/** The clone stays reserved until it is followed as a guest. */
async function makeWaiting(host: Host, source: Source, signal: AbortSignal): Promise<GuestRecord> {
  const record = { ...source.record, ...newIdentity(host.instance), name: 'pool', zone: '' };
  host.reserved.add(record.id);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => void host.reserved.delete(record.id));
  undo.defer(() => removeGuest(host, record.id).catch(() => undefined));
  await makeClone(host, record, source, signal);
  await defineClone(host, record, source.boot);
  undo.move();
  return record;
}

function same(a: Template, b: Template): boolean {
  return a.digest === b.digest;
}

function sameParts(a: GuestRecord, b: GuestRecord): boolean {
  return a.image === b.image && a.agent === b.agent;
}
