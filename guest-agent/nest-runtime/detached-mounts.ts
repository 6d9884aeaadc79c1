import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { cloneTree, type Mount } from '../rootfs/mount.ts';
import { CLONE_NEWUSER, MOUNT_ATTR_IDMAP, MS_REC, O_CLOEXEC, O_RDONLY } from '../sys/constants.ts';
import { linux as sys } from '../sys/sys.ts';
import type { AskedMount, IdMap } from '../oci/mounts.ts';

/**
 * Makes ahead what the container's process could not: bind mounts of folders that its user namespace may not enter, and
 * mounts with an ID map. They are attached nowhere yet, and descriptors stand for them.
 */
export function detachMounts(mounts: AskedMount[], hasUserNamespace: boolean): Mount[] {
  return mounts.map(({ idMap, ...mount }) => {
    if (mount.type !== null || typeof mount.source === 'number' || (idMap === null && !hasUserNamespace)) return mount;
    const tree = cloneTree(sys, mount.source, (mount.flags & MS_REC) !== 0);
    if (idMap !== null) mapIds(tree, idMap);
    return { ...mount, source: tree };
  });
}

/** mount_setattr(2), "ID-mapped mounts". */
function mapIds(tree: number, { uids, gids, recursive }: { uids: IdMap[]; gids: IdMap[]; recursive: boolean }): void {
  const userNamespace = openUserNamespace(uids, gids);
  sys.setMountAttributes(tree, MOUNT_ATTR_IDMAP, { userNamespace, recursive });
  sys.close(userNamespace);
}

/** A namespace exists only with a process in it: one is started that does nothing, and ended. */
function openUserNamespace(uids: IdMap[], gids: IdMap[]): number {
  const text = (maps: IdMap[]) =>
    maps.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');
  const [wait, hold] = sys.pipe2(O_CLOEXEC);
  const { pid, pidfd } = sys.fork(CLONE_NEWUSER, null);
  if (pid === 0) {
    sys.close(hold);
    sys.read(wait, Buffer.alloc(1));
    sys.exit(0);
  }
  try {
    writeFileSync(`/proc/${pid}/uid_map`, text(uids));
    writeFileSync(`/proc/${pid}/gid_map`, text(gids));
    return sys.open(`/proc/${pid}/ns/user`, O_RDONLY | O_CLOEXEC);
  } finally {
    sys.sendSignal(pidfd, constants.signals.SIGKILL);
    sys.wait(pid, 0);
    for (const fd of [wait, hold, pidfd]) sys.close(fd);
  }
}
