import { randomBytes, randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { Accelerator } from '../api.ts';
import type { BootFiles } from '../guest-image/guest-image.ts';
import type { StockImage } from '../guest-image/stock-image.ts';

export interface GuestShape {
  vcpus: number;
  /** Bytes. */
  memory: number;
}

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const GuestRecord = v.object({
  /** 12 hex digits. */
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{12}$/)),
  /** `<zone>-<n>`, unique on the host. */
  name: v.string(),
  zone: v.string(),
  /** `unreachable`: QEMU runs, the agent does not answer; `paused`: its processors stand still; `stopped`: QEMU is gone. */
  state: v.picklist(['starting', 'running', 'unreachable', 'paused', 'stopped']),
  /** Why it is in a state that nobody asked for; null otherwise. */
  reason: v.optional(v.nullable(v.string()), null),
  shape: v.object({ vcpus: count, memory: count }),
  /** What it is promised from its next start on; null where that stays. */
  next: v.optional(v.nullable(v.object({ vcpus: count, memory: count })), null),
  accelerator: Accelerator,
  /** Of its domain. */
  uuid: v.pipe(v.string(), v.uuid()),
  /** Name of the stock image that it boots by itself; null for one of nest's own. */
  stock: v.optional(v.nullable(v.string()), null),
  /** Digests of what it was made from; no template when it was booted. */
  image: v.string(),
  agent: v.string(),
  template: v.nullable(v.string()),
  /** Milliseconds since 1970. */
  createdAt: count,
  /** When its QEMU was last started for it; those from before this was noted were never started again. */
  startedAt: v.optional(count),
  bootId: v.nullable(v.string()),
  kernel: v.nullable(v.string()),
  /** libvirt's name of it. */
  domain: v.string(),
});
export type GuestRecord = v.InferOutput<typeof GuestRecord>;

/** A guest that is about to be made. */
export function newRecord(
  own: Pick<GuestRecord, 'id' | 'name' | 'zone' | 'domain' | 'uuid' | 'createdAt'>,
  made: {
    boot: BootFiles;
    shape: GuestShape;
    accelerator: Accelerator;
    template?: string | null;
    /** What it boots in place of nest's own image. */
    stock?: StockImage | undefined;
  },
): GuestRecord {
  return {
    ...own,
    startedAt: own.createdAt,
    state: 'starting',
    reason: null,
    shape: made.shape,
    next: null,
    accelerator: made.accelerator,
    stock: made.stock?.name ?? null,
    image: made.stock?.digest ?? made.boot.digest,
    agent: made.boot.agentDigest,
    template: made.template ?? null,
    bootId: null,
    kernel: null,
  };
}

/** Names that no other guest has. */
export function newIdentity(instance: string): Pick<GuestRecord, 'id' | 'domain' | 'uuid' | 'createdAt'> {
  const id = randomBytes(6).toString('hex');
  return { id, domain: domainName(instance, id), uuid: randomUUID(), createdAt: Date.now() };
}

/** What a domain's metadata holds. `instance` keeps engines with different state folders apart on one libvirt. */
export const StoredGuest = v.object({ instance: v.string(), guest: GuestRecord });
export type StoredGuest = v.InferOutput<typeof StoredGuest>;

/** What every domain of this instance begins with. */
export function domainPrefix(instance: string): string {
  return `nest-${instance.slice(0, 8)}-`;
}

export function domainName(instance: string, guestId: string): string {
  return domainPrefix(instance) + guestId;
}
