import * as v from 'valibot';
import type { Engine } from './connect.ts';
import { request, requestJson } from './http.ts';
import { lines } from './ndjson.ts';

/** What a container uses. */
export interface StatsRow {
  id: string;
  name: string;
  /** Percent of one processor. */
  cpu: number;
  /** Bytes, without what the kernel keeps to read faster and can give back at once. */
  memory: number;
  memoryLimit: number;
  pids: number;
  /** Bytes since it was started. */
  received: number;
  sent: number;
  read: number;
  written: number;
}

/** One reading; takes a second, in which processor time is measured. */
export async function readStats(engine: Engine, container: string, signal: AbortSignal): Promise<StatsRow> {
  const path = `/containers/${encodeURIComponent(container)}/stats?stream=0`;
  return row(await requestJson(engine.paths.engineSocket, { method: 'GET', path, signal }, Stats));
}

/** A reading each second, until the container is removed. */
export async function* followStats(engine: Engine, container: string, signal: AbortSignal): AsyncGenerator<StatsRow> {
  const path = `/containers/${encodeURIComponent(container)}/stats?stream=1`;
  const stream = await request(engine.paths.engineSocket, { method: 'GET', path, signal });
  for await (const line of lines(stream)) yield row(v.parse(Stats, JSON.parse(line)));
}

/** As Docker's CLI counts, cgroup v2: https://docs.docker.com/reference/cli/docker/container/stats/. */
function row(stats: v.InferOutput<typeof Stats>): StatsRow {
  const { cpu_stats: now, precpu_stats: before, memory_stats: memory } = stats;
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const networks = Object.values(stats.networks);
  const io = stats.blkio_stats.io_service_bytes_recursive ?? [];
  return {
    id: stats.id,
    name: stats.name.replace(/^\//, ''),
    cpu: passed > 0 && before.system_cpu_usage !== undefined ? (100 * used * (now.online_cpus ?? 1)) / passed : 0,
    memory: Math.max(0, memory.usage - (memory.stats['inactive_file'] ?? 0)),
    memoryLimit: memory.limit,
    pids: stats.pids_stats.current,
    received: sum(networks.map(({ rx_bytes }) => rx_bytes)),
    sent: sum(networks.map(({ tx_bytes }) => tx_bytes)),
    read: sum(io.filter(({ op }) => op === 'read').map(({ value }) => value)),
    written: sum(io.filter(({ op }) => op === 'write').map(({ value }) => value)),
  };
}

const sum = (values: number[]) => values.reduce((total, each) => total + each, 0);

/** The parts of Docker's shape that are shown; a container that does not run has few of them. */
const cpu = v.object({
  cpu_usage: v.object({ total_usage: v.number() }),
  system_cpu_usage: v.optional(v.number()),
  online_cpus: v.optional(v.number()),
});
const Stats = v.object({
  id: v.string(),
  name: v.string(),
  cpu_stats: cpu,
  precpu_stats: cpu,
  memory_stats: v.object({
    usage: v.optional(v.number(), 0),
    limit: v.optional(v.number(), 0),
    stats: v.optional(v.record(v.string(), v.number()), {}),
  }),
  pids_stats: v.object({ current: v.optional(v.number(), 0) }),
  blkio_stats: v.object({
    io_service_bytes_recursive: v.nullish(v.array(v.object({ op: v.string(), value: v.number() }))),
  }),
  networks: v.optional(v.record(v.string(), v.object({ rx_bytes: v.number(), tx_bytes: v.number() })), {}),
});
