import { PR_CAP_AMBIENT, PR_SET_KEEPCAPS } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import type { CapabilitySets } from '../zygote/protocol.ts';

/**
 * Drops from the bounding set all that `capabilities` does not have: no program can gain it again, whatever its file says.
 *
 * @param capabilities mask in hex
 */
export function boundCapabilities(sys: Sys, capabilities: string): void {
  const mask = BigInt(`0x${capabilities}`);
  for (let capability = 0; capability < 64; capability++) {
    const kept = (mask >> BigInt(capability)) & 1n;
    if (kept === 0n && !sys.dropFromBoundingSet(capability)) return;
  }
}

/**
 * What root may do by default, given the set that bounds it, and any other user: nothing, since execve gives nothing to a
 * program without file capabilities. Inheritable and ambient sets are empty: CVE-2022-24769.
 */
export function capabilitiesOf(uid: number, bounding: string): CapabilitySets {
  const own = uid === 0 ? bounding : '0';
  return { bounding, effective: own, permitted: own, inheritable: '0', ambient: '0' };
}

/** Becomes the user, with these capabilities and no others. */
export function becomeUser(sys: Sys, { uid, gid, groups }: User, sets: CapabilitySets): void {
  const [effective, permitted, inheritable, ambient] = [
    sets.effective,
    sets.permitted,
    sets.inheritable,
    sets.ambient,
  ].map((hex) => BigInt(`0x${hex}`)) as [bigint, bigint, bigint, bigint];
  // Root that becomes another user loses all capabilities otherwise: capabilities(7). execve takes the flag away.
  if (uid !== 0 && permitted !== 0n) sys.prctl(PR_SET_KEEPCAPS, 1);
  sys.setgroups(groups);
  sys.setgid(gid);
  sys.setuid(uid);
  sys.capset(effective, permitted, inheritable);
  for (let capability = 0; ambient >> BigInt(capability) !== 0n; capability++)
    if ((ambient >> BigInt(capability)) & 1n) sys.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability);
}

interface User {
  uid: number;
  gid: number;
  groups: number[];
}

const PR_CAP_AMBIENT_RAISE = 2;
