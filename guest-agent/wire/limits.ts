import * as v from 'valibot';

/**
 * Limits of a container's cgroup, in the names and units of `linux.resources` in an OCI runtime config
 * (https://github.com/opencontainers/runtime-spec/blob/v1.2.0/config-linux.md#control-groups). What is absent is left as the
 * kernel has it; -1 is no limit.
 */

const amount = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const limit = v.pipe(v.number(), v.safeInteger(), v.minValue(-1));
/** A list as in cpuset(7): "0-2,7". */
const list = v.pipe(v.string(), v.maxLength(4096), v.regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/));
const device = { major: amount, minor: amount };
const weight = v.pipe(v.number(), v.integer(), v.minValue(10), v.maxValue(1000));
const rates = v.optional(v.pipe(v.array(v.strictObject({ ...device, rate: amount })), v.maxLength(64)));

export const Limits = v.strictObject({
  memory: v.optional(
    v.strictObject({
      /** Bytes: memory.max. With less no program starts. */
      limit: v.optional(
        v.union([v.literal(-1), v.pipe(amount, v.minValue(6 * 1024 * 1024))], 'neither -1 nor 6 MiB or more'),
      ),
      /** Bytes that are reclaimed last: memory.low. */
      reservation: v.optional(limit),
      /** Bytes of memory and swap together; needs `limit`. */
      swap: v.optional(limit),
    }),
  ),
  cpu: v.optional(
    v.strictObject({
      /** Relative weight as in cgroup v1; 1024 is everyone's. */
      shares: v.optional(v.pipe(amount, v.minValue(2), v.maxValue(262_144))),
      /** Microseconds of processor time in each period: half a core is 50000 of 100000. */
      quota: v.optional(v.union([v.literal(-1), v.pipe(amount, v.minValue(1000))], 'neither -1 nor 1000 or more')),
      /** Microseconds. */
      period: v.optional(v.pipe(amount, v.minValue(1000), v.maxValue(1_000_000))),
      /** Microseconds that may be saved up from periods with unused quota. */
      burst: v.optional(amount),
      /** 1: runs when nothing else wants to. */
      idle: v.optional(v.picklist([0, 1])),
      /** Processors and memory nodes: cpuset. */
      cpus: v.optional(list),
      mems: v.optional(list),
    }),
  ),
  /** Processes and threads at one time. */
  pids: v.optional(v.strictObject({ limit: v.union([v.literal(-1), v.pipe(amount, v.minValue(1))]) })),
  blockIO: v.optional(
    v.strictObject({
      weight: v.optional(weight),
      weightDevice: v.optional(v.pipe(v.array(v.strictObject({ ...device, weight })), v.maxLength(64))),
      /** Bytes, and operations, each second. */
      throttleReadBpsDevice: rates,
      throttleWriteBpsDevice: rates,
      throttleReadIOPSDevice: rates,
      throttleWriteIOPSDevice: rates,
    }),
  ),
  /** `pageSize`: "2MB", "1GB". */
  hugepageLimits: v.optional(
    v.pipe(
      v.array(v.strictObject({ pageSize: v.pipe(v.string(), v.regex(/^\d{1,6}[KMG]B$/)), limit: amount })),
      v.maxLength(16),
    ),
  ),
  /** Files of the cgroup by name, written last: {"memory.high": "1073741824"}. */
  unified: v.optional(
    v.record(
      v.pipe(v.string(), v.maxLength(64), v.regex(/^[a-z]+(\.[a-zA-Z0-9_]+)+$/)),
      v.pipe(v.string(), v.maxLength(4096)),
    ),
  ),
});

export type Limits = v.InferOutput<typeof Limits>;

/** `limits` with those of `change` in their place, one by one: what is not named stays. */
export function mergeLimits(limits: Limits, change: Limits): Limits {
  const merged: Limits = { ...limits, ...change };
  for (const controller of ['memory', 'cpu', 'blockIO', 'unified'] as const)
    if (change[controller] !== undefined)
      Object.assign(merged, { [controller]: { ...limits[controller], ...change[controller] } });
  return merged;
}
