import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { applyLimits } from './cgroup/apply.ts';
import { createCgroup, killCgroup, listCgroups, removeCgroup } from './cgroup/cgroup.ts';
import { DEFAULT_DEVICES, type DeviceRule, filterDevices } from './cgroup/devices.ts';
import { freezeCgroup, isFrozen, thawCgroup } from './cgroup/freezer.ts';
import { oomKillCount } from './cgroup/memory.ts';
import { cgroupStats } from './cgroup/stats.ts';
import { type Folders, switchFile } from './folders.ts';
import type { LayerMounts } from './layers.ts';
import { readInRoot } from './container/file-in-root.ts';
import { openSwitch } from './network/switch.ts';
import { interfaceCounters } from './proc/network.ts';
import { processesOf } from './proc/process.ts';
import { deviceNumber, numbersOf } from './rootfs/devices.ts';
import { findDisk } from './rootfs/disk.ts';
import { mountLayer, unmountLayer } from './rootfs/layer.ts';
import { limitTrees } from './rootfs/quota.ts';
import { openTree } from './rootfs/open-tree.ts';
import { flushVolume, mountVolume, unmountVolume } from './rootfs/volume.ts';
import type { Kernel } from './runtime.ts';
import {
  AF_INET,
  CLONE_NEWNET,
  MNT_DETACH,
  MS_BIND,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from './sys/constants.ts';
import type { Sys } from './sys/sys.ts';
import type { VolumeMounts } from './volumes.ts';
import { setSize } from './zygote/terminal.ts';

/** The kernel itself; needs root. */
export function openKernel(sys: Sys, folders: Folders): Kernel & LayerMounts & VolumeMounts {
  mkdirSync(folders.runtime, { recursive: true, mode: 0o700 });
  const ownNetwork = sys.open('/proc/self/ns/net', O_RDONLY | O_CLOEXEC);
  return {
    ...openSwitch(sys, switchFile(folders)),
    mkfifo: (path, mode) => void sys.mknod(path, S_IFIFO | mode, 0),
    mapFile: (path, length) => sys.mapFile(path, length),
    createCgroup: (name) => createCgroup(name),
    cgroups: () => listCgroups(),
    allowDevices(folder, devices) {
      const rules = devices.map(({ path, access }): DeviceRule => {
        const status = statSync(path);
        return { allow: true, type: status.isBlockDevice() ? 'b' : 'c', ...numbersOf(status.rdev), access };
      });
      filterDevices(sys, folder, [...DEFAULT_DEVICES, ...rules], false);
    },
    makeCgroup: (folder) => void mkdirSync(folder, { recursive: true }),
    removeCgroup,
    killCgroup,
    oomKillCount,
    applyLimits,
    freezeCgroup: (folder) => freezeCgroup(folder, sys),
    thawCgroup,
    isFrozen,
    stats: (folder, pid) => ({
      ...cgroupStats(folder),
      network: interfaceCounters(readFileSync(`/proc/${pid}/net/dev`, 'utf8')),
    }),
    processes: (folder) => processesOf(folder),
    readInRunning: (pid, path) => readInRoot(sys, `/proc/${pid}/root`, path),
    readInStopped({ root, layersFolder, layers, upper }, path) {
      const flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
      // Layers go by short names, as all must fit the options: relative to the working directory.
      sys.chdir(layersFolder);
      sys.mount('overlay', root, 'overlay', flags, `lowerdir=${[upper, ...layers].join(':')}`);
      try {
        return readInRoot(sys, root, path);
      } finally {
        sys.umount2(root, MNT_DETACH);
        sys.chdir('/');
      }
    },
    openTree: (rootfs, tree) => openTree(sys, rootfs, tree),
    readXattrs: (path) => new Map(sys.listXattrs(path).flatMap((name) => withValue(name, sys.getXattr(path, name)))),
    openRoot: (pid) => sys.open(`/proc/${pid}/root`, O_PATH | O_DIRECTORY | O_CLOEXEC),
    openFolder(root, path, use = 'find') {
      const flags = (use === 'read' ? O_RDONLY : O_PATH) | O_DIRECTORY | O_CLOEXEC;
      return sys.openat2(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    },
    makeNode: (path, type, { major, minor }) =>
      void sys.mknod(path, NODE_TYPES[type] | 0o600, deviceNumber(major, minor)),
    setXattr: (path, name, value) => void sys.setXattr(path, name, value),
    openTerminal({ process, fd }) {
      const pidfd = sys.openPid(process);
      try {
        return sys.takeDescriptor(pidfd, fd);
      } finally {
        sys.close(pidfd);
      }
    },
    resizeTerminal: (fd, size) => setSize(sys, fd, size),
    openNetwork: (pid) => sys.open(`/proc/${pid}/ns/net`, O_RDONLY | O_CLOEXEC),
    socketInNetwork(network) {
      // Only this thread moves, and nothing else runs on it until it is back.
      sys.setns(network, CLONE_NEWNET);
      try {
        return sys.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
      } finally {
        sys.setns(ownNetwork, CLONE_NEWNET);
      }
    },
    limitTrees: (trees, project, bytes) => limitTrees(sys, trees, { project, bytes }),
    findDisk: (serial) => findDisk(serial),
    mountLayer: (disk, folder) => mountLayer(sys, disk, folder),
    bindRoot(folder) {
      mkdirSync(folder, { recursive: true });
      sys.mount('/', folder, null, MS_BIND, null);
    },
    unmountLayer: (folder) => unmountLayer(sys, folder),
    mountVolume,
    unmountVolume,
    flushVolume,
    mountedIn: (parent) =>
      readdirSync(parent, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(parent, entry.name))
        .filter((folder) => statSync(folder).dev !== statSync(parent).dev),
  };
}

const NODE_TYPES = { fifo: S_IFIFO, 'character-device': S_IFCHR, 'block-device': S_IFBLK };

const withValue = (name: string, value: Buffer | undefined): [string, Buffer][] =>
  value === undefined ? [] : [[name, value]];
