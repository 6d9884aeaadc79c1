import type { Sys } from '../sys/sys.ts';

/** Drops from the bounding set all that `mask` does not have: no program can gain it again, whatever its file says. */
export function boundCapabilities(sys: Sys, mask: bigint): void {
  for (let capability = 0; capability < 64; capability++) {
    const kept = (mask >> BigInt(capability)) & 1n;
    if (kept === 0n && !sys.dropFromBoundingSet(capability)) return;
  }
}

/**
 * Becomes the user. As with other runtimes root keeps the capabilities of `mask` and any other user has none, since
 * execve gives none to a program without file capabilities. Inheritable and ambient stay empty: CVE-2022-24769.
 */
export function becomeUser(sys: Sys, { uid, gid, groups }: User, mask: bigint): void {
  sys.setgroups(groups);
  sys.setgid(gid);
  sys.setuid(uid);
  sys.capset(uid === 0 ? mask : 0n);
}

interface User {
  uid: number;
  gid: number;
  groups: number[];
}
