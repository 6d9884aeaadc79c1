import type { Check, Verdict } from './check.ts';
import { processLimits } from './checks/cgroups.ts';
import { device, virtualization } from './checks/kvm.ts';
import { connection, library, logDaemon } from './checks/libvirt.ts';
import { engine, guestImage } from './checks/nest.ts';
import { node, programs } from './checks/programs.ts';
import { dataFolder, disk, memory } from './checks/resources.ts';
import type { Probes } from './probes.ts';

export interface Finding extends Verdict {
  check: Check;
}

/** Every requirement, examined at once; one that does not answer in time has failed. */
export async function examine(
  probes: Probes,
  { checks = CHECKS, timeLimit = TIME_LIMIT }: { checks?: readonly Check[]; timeLimit?: number } = {},
): Promise<Finding[]> {
  return await Promise.all(checks.map(async (check) => ({ check, ...(await bounded(check, probes, timeLimit)) })));
}

/** In the order in which they are shown: what the others rest on comes first. */
const CHECKS: readonly Check[] = [
  node,
  programs,
  library,
  logDaemon,
  connection,
  virtualization,
  device,
  processLimits,
  memory,
  disk,
  dataFolder,
  guestImage,
  engine,
];

async function bounded(check: Check, probes: Probes, timeLimit: number): Promise<Verdict> {
  const late = Promise.withResolvers<Verdict>();
  const timer = setTimeout(() => {
    late.resolve({
      status: 'failed',
      detail: `no answer within ${timeLimit / 1000} s`,
      hint: check.id === 'libvirt' ? 'libvirt may be probing QEMU: see `KVM device`, then try again.' : 'Try again.',
    });
  }, timeLimit);
  try {
    return await Promise.race([check.examine(probes), late.promise]);
  } catch (error) {
    return { status: 'failed', detail: `could not be checked: ${(error as Error).message}` };
  } finally {
    clearTimeout(timer);
  }
}

/** Milliseconds. A session's libvirtd takes 4 s to probe QEMU the first time. */
const TIME_LIMIT = 20_000;
