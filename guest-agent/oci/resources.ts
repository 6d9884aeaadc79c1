import { applyLimits } from '../cgroup/apply.ts';
import { Limits } from '../wire/limits.ts';
import type { Resources } from './config.ts';
import { problems } from './problems.ts';

/**
 * Writes the limits of `linux.resources` into a cgroup's files. They are the agent's own limits, but for what a guest has
 * not: what would change nothing there is left out as with other runtimes, and what would promise something is refused.
 *
 * @throws Problems
 */
export function applyResources(folder: string, resources: Resources): void {
  applyLimits(folder, problems.parse(Limits, limitsOf(resources), 'linux.resources'));
}

function limitsOf({ memory, cpu, pids, blockIO, hugepageLimits, unified }: Resources): unknown {
  const { limit, reservation, swap } = memory ?? {};
  const { shares, quota, period, burst, idle, cpus, mems } = cpu ?? {};
  const { weight, weightDevice, ...rates } = blockIO ?? {};
  const limits = given({
    memory: given({ limit: orNone(limit), reservation: orNone(reservation), swap: orNone(swap) }),
    cpu: given({
      shares: orNone(shares),
      quota: orNone(quota),
      period: orNone(period),
      burst,
      idle,
      cpus: cpus || null,
      mems: mems || null,
    }),
    // 0 and less are no limit, as generators write it.
    pids: pids && { limit: pids.limit > 0 ? pids.limit : -1 },
    blockIO: given({
      weight: orNone(weight),
      weightDevice: weightDevice?.flatMap(({ major, minor, weight }) => (weight ? [{ major, minor, weight }] : [])),
      throttleReadBpsDevice: rates.throttleReadBpsDevice,
      throttleWriteBpsDevice: rates.throttleWriteBpsDevice,
      throttleReadIOPSDevice: rates.throttleReadIOPSDevice,
      throttleWriteIOPSDevice: rates.throttleWriteIOPSDevice,
    }),
    hugepageLimits,
    unified,
  });
  return limits ?? {};
}

/** 0 is what generators write for "nothing". */
const orNone = (value: number | null | undefined) => (value === 0 ? null : value);

/** Without what is null; undefined when nothing is left. */
function given(fields: Record<string, unknown>): Record<string, unknown> | undefined {
  const kept = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
