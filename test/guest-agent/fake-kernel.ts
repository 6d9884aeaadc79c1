import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerMounts } from '../../guest-agent/layers.ts';
import type { VolumeMounts } from '../../guest-agent/volumes.ts';
import type { Kernel } from '../../guest-agent/runtime.ts';
import {
  AF_INET,
  S_IFIFO,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from '../../guest-agent/sys/constants.ts';
import { linux } from '../../guest-agent/sys/sys.ts';

/** Does without root: cgroups are plain folders that name their processes, layers are empty folders. */
export function fakeKernel(folder: string): Kernel & LayerMounts & VolumeMounts {
  const cgroupOf = (id: string) => join(folder, 'cgroup', id);
  const etc = (path: string) => readFileSync(join(folder, path), { encoding: 'utf8', flag: 'a+' });
  mkdirSync(join(folder, 'etc'), { recursive: true });
  const bridges = new Map<string, number>();
  return {
    mkfifo: (path, mode) => void linux.mknod(path, S_IFIFO | mode, 0),
    mapFile: (path, length) => linux.mapFile(path, length),
    createCgroup(id) {
      mkdirSync(cgroupOf(id), { recursive: true });
      return cgroupOf(id);
    },
    allowDevices: () => {},
    makeCgroup: (cgroup) => mkdirSync(cgroup, { recursive: true }),
    removeCgroup: (cgroup) => rmSync(cgroup, { recursive: true, force: true }),
    cgroups: () => {
      mkdirSync(cgroupOf(''), { recursive: true });
      return readdirSync(cgroupOf('')).map(cgroupOf);
    },
    killCgroup: (cgroup) => signalGroups(cgroup, 'SIGKILL'),
    applyLimits: (cgroup, limits) => writeFileSync(join(cgroup, 'limits.json'), JSON.stringify(limits)),
    freezeCgroup(cgroup) {
      writeFileSync(join(cgroup, 'frozen'), '');
      signalGroups(cgroup, 'SIGSTOP');
      return true;
    },
    thawCgroup(cgroup) {
      rmSync(join(cgroup, 'frozen'), { force: true });
      signalGroups(cgroup, 'SIGCONT');
    },
    isFrozen: (cgroup) => existsSync(join(cgroup, 'frozen')),
    stats: () => {
      throw new Error('a plain folder counts nothing');
    },
    processes: () => [],
    oomKillCount: (cgroup) => readdirSync(cgroup).filter((name) => name === 'oom').length,
    readInRunning: (_pid, path) => etc(path),
    readInStopped: (_rootfs, path) => etc(path),
    openTree: ({ layersFolder, layers, upper }, tree) =>
      openSync(tree === 'image' ? join(layersFolder, layers[0] ?? '') : upper, 'r'),
    openRoot: () => openSync(folder, 'r'),
    openFolder: (_root, path) => openSync(path, 'r'),
    makeNode: () => {},
    setXattr: () => {},
    readXattrs: () => new Map(),
    openTerminal: () => openSync('/dev/null', 'r+'),
    resizeTerminal: () => {},
    openNetwork: () => openSync('/dev/null', 'r'),
    interfaces: () => new Map(bridges),
    makeBridge(name) {
      const index = bridges.get(name) ?? bridges.size + 2;
      bridges.set(name, index);
      return index;
    },
    removeBridge: (name) => void bridges.delete(name),
    openDatagramSocket: () => linux.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC),
    ignore: () => {},
    socketInNetwork: () => linux.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC),
    limitTrees(trees, project, bytes) {
      for (const tree of trees) writeFileSync(`${tree}.limit`, `${project} ${bytes}`);
      return 0;
    },
    findDisk(serial) {
      if (serial.startsWith('f')) return Promise.reject(new Error(`find disk \`${serial}\``));
      return Promise.resolve(join(folder, `disk-${serial}`));
    },
    mountLayer: (_disk, target) => mkdirSync(target, { recursive: true }),
    bindRoot: (target) => mkdirSync(target, { recursive: true }),
    unmountLayer: (target) => rmSync(target, { recursive: true }),
    mountVolume(_disk, target) {
      mkdirSync(join(target, 'files'), { recursive: true });
      return Promise.resolve(true);
    },
    unmountVolume(_disk, target) {
      rmSync(target, { recursive: true });
      return Promise.resolve();
    },
    flushVolume: () => Promise.resolve(),
    mountedIn: (parent) =>
      readdirSync(parent, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(parent, entry.name)),
  };
}

/** Every process of the cgroup leads a group of its own. */
function signalGroups(cgroup: string, signal: NodeJS.Signals): void {
  if (!existsSync(cgroup)) return;
  for (const file of readdirSync(cgroup).filter((name) => name.endsWith('.pid')))
    try {
      process.kill(-Number(readFileSync(join(cgroup, file), 'utf8')), signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
}
