import * as v from 'valibot';

/** What a container uses, read at one time. Numbers are the guest's word: bounded here, believed nowhere. */

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const name = v.pipe(v.string(), v.maxLength(64));

/** Share of the time that tasks waited, in percent over the last 10, 60 and 300 s, and in all in microseconds. */
const stall = v.strictObject({
  avg10: v.pipe(v.number(), v.minValue(0), v.maxValue(100)),
  avg60: v.pipe(v.number(), v.minValue(0), v.maxValue(100)),
  avg300: v.pipe(v.number(), v.minValue(0), v.maxValue(100)),
  total: count,
});

/** Some task waited, and all of them did: Kernel documentation accounting/psi.rst. */
export const Pressure = v.strictObject({ some: stall, full: stall });

export const ContainerStats = v.strictObject({
  /** Milliseconds since 1970, the guest's clock. */
  readAt: count,
  /** Microseconds of all the guest's processors since it booted, idle ones too; and how many they are. */
  guest: v.strictObject({ time: count, processors: count }),
  /** Microseconds; periods are those of cpu.max. */
  cpu: v.strictObject({
    usage: count,
    user: count,
    system: count,
    periods: count,
    throttledPeriods: count,
    throttled: count,
  }),
  memory: v.strictObject({
    /** Bytes; `limit` is the guest's memory when there is none. */
    usage: count,
    peak: count,
    limit: count,
    swap: count,
    /** memory.stat: bytes and counts. */
    stat: v.pipe(v.record(name, count), v.maxEntries(128)),
    /** memory.events: low, high, max, oom, oom_kill, … */
    events: v.pipe(v.record(name, count), v.maxEntries(32)),
  }),
  /** `limit` 0 is none. */
  pids: v.strictObject({ current: count, limit: count }),
  io: v.pipe(
    v.array(
      v.strictObject({
        major: count,
        minor: count,
        readBytes: count,
        writtenBytes: count,
        reads: count,
        writes: count,
      }),
    ),
    v.maxLength(256),
  ),
  /** Interfaces but the loopback one. */
  network: v.pipe(
    v.array(
      v.strictObject({
        name,
        rxBytes: count,
        rxPackets: count,
        rxErrors: count,
        rxDropped: count,
        txBytes: count,
        txPackets: count,
        txErrors: count,
        txDropped: count,
      }),
    ),
    v.maxLength(256),
  ),
  pressure: v.strictObject({ cpu: Pressure, memory: Pressure, io: Pressure }),
});

/** A process of a container, by its number in the guest. */
export const ContainerProcess = v.strictObject({
  pid: count,
  parent: count,
  uid: count,
  gid: count,
  threads: count,
  /** One letter: proc_pid_stat(5). */
  state: v.pipe(v.string(), v.maxLength(1)),
  /** Milliseconds since 1970. */
  startedAt: count,
  /** Milliseconds of processor time. */
  cpuTime: count,
  nice: v.pipe(v.number(), v.integer(), v.minValue(-20), v.maxValue(19)),
  /** Bytes. */
  virtual: count,
  resident: count,
  /** Short name and whole command line. */
  name: v.pipe(v.string(), v.maxLength(64)),
  command: v.pipe(v.string(), v.maxLength(4096)),
});

/** The first PROCESS_LIMIT ones. */
export const ContainerProcesses = v.pipe(v.array(ContainerProcess), v.maxLength(4096));
export const PROCESS_LIMIT = 4096;

export type Pressure = v.InferOutput<typeof Pressure>;
export type ContainerStats = v.InferOutput<typeof ContainerStats>;
export type ContainerProcess = v.InferOutput<typeof ContainerProcess>;
