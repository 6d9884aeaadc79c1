import { type HealthCheck, HealthReport } from '../../../guest-agent/api.ts';
import { NestError } from '../../errors.ts';
import type { ImageConfig } from '../../images/images.ts';
import type { Context } from '../context.ts';
import type { Container } from '../state/record.ts';
import { agentOf } from './agent.ts';
import { isRunning } from './stats.ts';

/** A health check in Docker's shape: times in nanoseconds, 0 and an empty test are left to the image. */
export type HealthRequest = NonNullable<ImageConfig['Healthcheck']>;

/**
 * The request over the image's HEALTHCHECK, field by field, with Docker's defaults:
 * https://docs.docker.com/reference/dockerfile/#healthcheck. Undefined without a test, or with `NONE`.
 *
 * @throws NestError `invalid-input`
 */
export function mergeHealth(request: HealthRequest | null, image: ImageConfig): HealthCheck | undefined {
  const inherited = image.Healthcheck;
  const test = request?.Test.length ? request.Test : (inherited?.Test ?? []);
  const argv = commandOf(test, image.Shell ?? DEFAULT_SHELL);
  if (argv === undefined) return undefined;
  const milliseconds = (field: 'Interval' | 'Timeout' | 'StartPeriod' | 'StartInterval', fallback: number) => {
    const nanoseconds = request?.[field] || inherited?.[field] || 0;
    return nanoseconds === 0 ? fallback : Math.min(Math.max(Math.ceil(nanoseconds / 1e6), 1), LONGEST);
  };
  return {
    argv,
    interval: milliseconds('Interval', 30_000),
    timeout: milliseconds('Timeout', 30_000),
    retries: request?.Retries || inherited?.Retries || 3,
    startPeriod: milliseconds('StartPeriod', 0),
    startInterval: milliseconds('StartInterval', 5_000),
  };
}

/** What the latest probes said; null where there is no check, nothing runs, or the guest does not answer. */
export async function readHealth(ctx: Context, container: Container): Promise<HealthReport | null> {
  if (container.record.spec.health === undefined || !isRunning(container)) return null;
  try {
    const agent = await agentOf(ctx, container);
    return await agent.request({ method: 'GET', path: `/v1/containers/${container.record.id}/health` }, HealthReport);
  } catch (error) {
    ctx.log(`read the health of \`${container.record.name}\`: ${String(error)}`);
    return null;
  }
}

function commandOf(test: string[], shell: string[]): string[] | undefined {
  const [kind, ...words] = test;
  if (kind === undefined || kind === 'NONE') return undefined;
  if (kind === 'CMD' && words.length > 0) return words;
  if (kind === 'CMD-SHELL' && words.length === 1) return [...shell, ...words];
  throw new NestError('invalid-input', `Healthcheck.Test: ${JSON.stringify(test).slice(0, 128)} is no health check`, {
    hint: 'write ["CMD", PROGRAM, ARGUMENTS...], ["CMD-SHELL", COMMAND] or ["NONE"]',
  });
}

const DEFAULT_SHELL = ['/bin/sh', '-c'];
/** Milliseconds that a timer can hold. */
const LONGEST = 2 ** 31 - 1;
