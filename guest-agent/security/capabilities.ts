import type { Sys } from '../sys/sys.ts';

/**
 * Drops from the bounding set all that `capabilities` does not have: no program can gain it again, whatever its file says.
 *
 * @param capabilities mask in hex
 */
export function boundCapabilities(sys: Sys, capabilities: string): void {
  const mask = parseMask(capabilities);
  for (let capability = 0; capability < 64; capability++) {
    const kept = (mask >> BigInt(capability)) & 1n;
    if (kept === 0n && !sys.dropFromBoundingSet(capability)) return;
  }
}

/**
 * Becomes the user. As with other runtimes root keeps the capabilities of its mask and any other user has none, since
 * execve gives none to a program without file capabilities. Inheritable and ambient stay empty: CVE-2022-24769.
 */
export function becomeUser(sys: Sys, { uid, gid, groups, capabilities }: User): void {
  sys.setgroups(groups);
  sys.setgid(gid);
  sys.setuid(uid);
  sys.capset(uid === 0 ? parseMask(capabilities) : 0n);
}

interface User {
  uid: number;
  gid: number;
  groups: number[];
  capabilities: string;
}

const parseMask = (hex: string) => BigInt(`0x${hex}`);
