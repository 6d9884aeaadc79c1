import * as v from 'valibot';

/** How the agent finds out whether a container works: the Compose file format's healthcheck, as Docker runs it. */

const text = v.pipe(v.string(), v.maxLength(128 * 1024), v.regex(/^[^\0]*$/));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Milliseconds. */
const duration = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31 - 1));

export const HealthCheck = v.strictObject({
  /** Run in the container as its own user; exit code 0 means it works. */
  argv: v.pipe(v.array(text), v.minLength(1), v.maxLength(4096)),
  /** From the start, and from the end of a probe, to the next one. */
  interval: duration,
  /** A probe that takes longer is killed, with all that it started, and has failed. */
  timeout: duration,
  /** So many failures in a row make it unhealthy. */
  retries: v.pipe(count, v.minValue(1)),
  /** Failures do not count so long after the start, until it has worked once; the interval may be another one in there. */
  startPeriod: v.pipe(count, v.maxValue(2 ** 31 - 1)),
  startInterval: duration,
});

export const HealthStatus = v.picklist(['none', 'starting', 'healthy', 'unhealthy']);

/** What the latest probes said, oldest first. */
export const HealthReport = v.strictObject({
  status: HealthStatus,
  failingStreak: count,
  log: v.pipe(
    v.array(
      v.strictObject({
        /** Milliseconds since 1970. */
        start: count,
        end: count,
        /** -1: it took too long or could not be run. */
        exitCode: v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(255)),
        /** What it wrote, at most PROBE_OUTPUT_LIMIT bytes. */
        output: v.pipe(v.string(), v.maxLength(8192)),
      }),
    ),
    v.maxLength(5),
  ),
});

export const PROBES_KEPT = 5;
export const PROBE_OUTPUT_LIMIT = 4096;

export type HealthCheck = v.InferOutput<typeof HealthCheck>;
export type HealthStatus = v.InferOutput<typeof HealthStatus>;
export type HealthReport = v.InferOutput<typeof HealthReport>;
