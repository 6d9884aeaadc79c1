import type { ContainerStats } from '../../../guest-agent/api.ts';
import type { Container } from '../state/record.ts';

/**
 * A reading in the shape of GET /containers/{id}/stats, cgroup v2:
 * https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Container/operation/ContainerStats. `Nest` has what
 * Docker's shape has no room for.
 *
 * @param now null for a container that does not run
 */
export function statsJson(
  { record }: Container,
  { now, before }: { now: ContainerStats | null; before: ContainerStats | null },
): Record<string, unknown> {
  return {
    id: record.id,
    name: `/${record.name}`,
    read: instant(now?.readAt),
    preread: instant(before?.readAt),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuStats(now),
    precpu_stats: cpuStats(before),
    memory_stats: now === null ? {} : memoryStats(now),
    pids_stats: now === null ? {} : { current: now.pids.current, ...(now.pids.limit > 0 && { limit: now.pids.limit }) },
    blkio_stats: {
      io_service_bytes_recursive: now && ioEntries(now, 'readBytes', 'writtenBytes'),
      io_serviced_recursive: now && ioEntries(now, 'reads', 'writes'),
    },
    ...(now !== null && {
      networks: networks(now),
      Nest: { pressure: now.pressure, memoryPeak: now.memory.peak, memoryEvents: now.memory.events },
    }),
  };
}

/** Docker counts processor time in nanoseconds. */
function cpuStats(stats: ContainerStats | null): Record<string, unknown> {
  const cpu = stats?.cpu;
  return {
    cpu_usage: {
      total_usage: nanoseconds(cpu?.usage),
      usage_in_kernelmode: nanoseconds(cpu?.system),
      usage_in_usermode: nanoseconds(cpu?.user),
    },
    ...(stats !== null && {
      system_cpu_usage: nanoseconds(stats.guest.time),
      online_cpus: stats.guest.processors,
    }),
    throttling_data: {
      periods: cpu?.periods ?? 0,
      throttled_periods: cpu?.throttledPeriods ?? 0,
      throttled_time: nanoseconds(cpu?.throttled),
    },
  };
}

function memoryStats({ memory }: ContainerStats): Record<string, unknown> {
  return { usage: memory.usage, limit: memory.limit, stats: memory.stat };
}

function ioEntries({ io }: ContainerStats, read: 'readBytes' | 'reads', write: 'writtenBytes' | 'writes') {
  return io.flatMap((device) => [
    { major: device.major, minor: device.minor, op: 'read', value: device[read] },
    { major: device.major, minor: device.minor, op: 'write', value: device[write] },
  ]);
}

function networks({ network }: ContainerStats): Record<string, unknown> {
  return Object.fromEntries(
    network.map((counts) => [
      counts.name,
      {
        rx_bytes: counts.rxBytes,
        rx_packets: counts.rxPackets,
        rx_errors: counts.rxErrors,
        rx_dropped: counts.rxDropped,
        tx_bytes: counts.txBytes,
        tx_packets: counts.txPackets,
        tx_errors: counts.txErrors,
        tx_dropped: counts.txDropped,
      },
    ]),
  );
}

const nanoseconds = (microseconds = 0) => microseconds * 1000;

/** Go's zero time where nothing was read. */
const instant = (milliseconds?: number) =>
  milliseconds === undefined ? '0001-01-01T00:00:00Z' : new Date(Math.min(milliseconds, LATEST)).toISOString();

/** Milliseconds: the last second of year 9999. A guest may claim any time, and a Date does not hold every one. */
const LATEST = 253_402_300_799_000;
