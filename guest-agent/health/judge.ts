import type { HealthStatus } from '../api.ts';

export interface Health {
  health: HealthStatus;
  /** Failures in a row. */
  failingStreak: number;
}

/**
 * What a probe makes of a container's health. One success is health, `retries` failures in a row are illness; those of the
 * start period do not count.
 */
export function judge(
  { health, failingStreak }: Health,
  probe: { failed: boolean; excused: boolean; retries: number },
): Health {
  if (!probe.failed) return { health: 'healthy', failingStreak: 0 };
  if (probe.excused) return { health, failingStreak };
  const streak = failingStreak + 1;
  return { health: streak >= probe.retries ? 'unhealthy' : health, failingStreak: streak };
}
