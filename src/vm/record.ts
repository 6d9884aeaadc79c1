import * as v from 'valibot';
import { Accelerator } from '../api.ts';

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
  accelerator: Accelerator,
  /** Digests of what it was made from. */
  image: v.string(),
  agent: v.string(),
  /** Milliseconds since 1970. */
  createdAt: count,
  bootId: v.nullable(v.string()),
  kernel: v.nullable(v.string()),
  /** libvirt's name of it. */
  domain: v.string(),
});
export type GuestRecord = v.InferOutput<typeof GuestRecord>;

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
