import type { RestartPolicy } from '../api.ts';

export interface EndedRun {
  exitCode: number;
  /** Automatic restarts so far. */
  restarts: number;
  /** It was ended for this, or would be. */
  unhealthy: boolean;
  /** Milliseconds that it ran. */
  ranFor: number;
  /** Milliseconds that the restart before it waited; 0 when it was started by a user. */
  lastDelay: number;
}

/**
 * Milliseconds until the next automatic restart, undefined for none. As docker does: 100 ms, doubled with each restart
 * up to a minute, from the beginning again after a run of 10 s. One that was unhealthy is restarted also without a policy:
 * who gives a container a health check wants a healthy one.
 */
export function restartDelay(policy: RestartPolicy, run: EndedRun): number | undefined {
  if (!wanted(policy, run)) return undefined;
  if (run.lastDelay === 0 || run.ranFor >= STABLE) return FIRST;
  return Math.min(run.lastDelay * 2, LONGEST);
}

function wanted(policy: RestartPolicy, { exitCode, restarts, unhealthy }: EndedRun): boolean {
  switch (policy.name) {
    case 'no':
      return unhealthy;
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure':
      return (exitCode !== 0 || unhealthy) && (policy.maximumRetries === 0 || restarts < policy.maximumRetries);
  }
}

const FIRST = 100;
const LONGEST = 60_000;
const STABLE = 10_000;
