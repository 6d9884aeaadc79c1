import { readFile } from 'node:fs/promises';
import { qemuPid } from './qemu-pid.ts';

/** What a guest's QEMU takes of this host's memory, bytes. */
export interface HostUsage {
  /** Its proportional share: a page that n processes map counts as one nth. proc_pid_smaps(5), Pss. */
  held: number;
  /** Of the pages it has mapped, those that others have mapped too. */
  shared: number;
}

/** Undefined where QEMU does not run, or this user may not look into it. */
export async function hostUsage(domain: string, uri: string): Promise<HostUsage | undefined> {
  try {
    return parseRollup(await readFile(`/proc/${await qemuPid(domain, uri)}/smaps_rollup`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param text of /proc/PID/smaps_rollup */
export function parseRollup(text: string): HostUsage {
  const kibibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0);
  return {
    held: kibibytes('Pss') * 1024,
    shared: (kibibytes('Shared_Clean') + kibibytes('Shared_Dirty')) * 1024,
  };
}
