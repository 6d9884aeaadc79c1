import type { ContainerProcess, ContainerStats, Limits, TerminalSize } from './api.ts';
import type { Changes } from './changes.ts';
import type { Clock } from './clock.ts';
import type { Container } from './container/container.ts';
import type { Exec } from './container/exec.ts';
import type { Slots } from './container/slots.ts';
import type { Folders } from './folders.ts';
import type { Self } from './identity.ts';
import type { Layers } from './layers.ts';
import type { Machine } from './machine.ts';
import type { Volumes } from './volumes.ts';
import type { MappedFile } from './sys/memory.ts';
import type { Networks } from './network/networks.ts';
import type { Switch } from './network/switch.ts';
import type { Zygote } from './zygote-client.ts';
import type { TerminalEnd } from './zygote/protocol.ts';

/** All that the life-cycle verbs work with. */
export interface Runtime {
  folders: Folders;
  clock: Clock;
  kernel: Kernel;
  machine: Machine;
  self: Self;
  zygote: Zygote;
  slots: Slots;
  layers: Layers;
  volumes: Volumes;
  networks: Networks;
  changes: Changes;
  containers: Map<string, Container>;
  /** Oldest first. */
  execs: Map<string, Exec>;
  /** Ends the agent at once, without a word: there is one way to come back, the way back from a crash. */
  endAgent: () => void;
}

/** What the agent has the kernel do, in one place: unit tests run without root on another implementation. */
export interface Kernel extends Switch {
  mkfifo(path: string, mode: number): void;
  /** Memory that is the file, which is made where there is none. */
  mapFile(path: string, length: number): MappedFile;
  /** Folder of the cgroup; the one that exists, if it does. */
  createCgroup(name: string): string;
  /** Lets the container use these devices, besides those that all have. */
  allowDevices(folder: string, devices: { path: string; access: string }[]): void;
  /** One inside a container's, without limits of its own. */
  makeCgroup(folder: string): void;
  removeCgroup(folder: string): void;
  killCgroup(folder: string): void;
  /** Fails with the system call's error where the kernel does not take a value. */
  applyLimits(folder: string, limits: Limits): void;
  /** False when not all of its processes came to a stand. */
  freezeCgroup(folder: string): boolean;
  thawCgroup(folder: string): void;
  isFrozen(folder: string): boolean;
  /** @param pid one of its processes, whose network is counted */
  stats(folder: string, pid: number): Omit<ContainerStats, 'readAt'>;
  processes(folder: string): ContainerProcess[];
  /** Folders of all cgroups that were created and not removed. */
  cgroups(): string[];
  /** Processes that the kernel killed there for want of memory. */
  oomKillCount(folder: string): number;
  /**
   * Text of a file as the container would open it, '' when there is none or it is no plain file. Whatever the container
   * made of its folders and links, nothing outside its root is opened.
   */
  readInRunning(pid: number, path: string): string;
  readInStopped(rootfs: StoppedRoot, path: string): string;
  /**
   * Descriptor of a folder: what the container wrote, the image alone, or what the container sees. Read-only but for
   * `writable`, and without a name.
   */
  openTree(rootfs: StoppedRoot, tree: 'upper' | 'image' | 'whole' | 'writable'): number;
  /** Descriptor of the root of a process. */
  openRoot(pid: number): number;
  /**
   * Descriptor of the folder `path` seen from the folder `root`, which bounds where links lead. @param path bytes
   *
   * @param use `find`: to find files in it; `read`: to list it, too
   */
  openFolder(root: number, path: Buffer, use?: 'find' | 'read'): number;
  /** @param path bytes */
  makeNode(
    path: Buffer,
    type: 'fifo' | 'character-device' | 'block-device',
    device: { major: number; minor: number },
  ): void;
  /** Links are followed. */
  setXattr(path: string, name: string, value: Buffer): void;
  /**
   * Bounds what the files in `trees` take together, with all that is made there from now on, as a project of this number.
   * What is there may be more already. @returns bytes that it takes
   *
   * @throws SystemError ESRCH, EOPNOTSUPP or ENOSYS where the disk or the kernel keeps no quotas
   */
  limitTrees(trees: string[], project: number, bytes: number): number;
  /** Path of the disk with this serial, waited for a while. */
  findDisk(serial: string): Promise<string>;
  /** Extended attributes of the file itself, links not followed. @param path bytes */
  readXattrs(path: Buffer): Map<string, Buffer>;
  /** A descriptor of one's own of a terminal's other end. */
  openTerminal(end: TerminalEnd): number;
  resizeTerminal(fd: number, size: TerminalSize): void;
  /** Descriptor of a process's network namespace. */
  openNetwork(pid: number): number;
  /** A TCP socket in that namespace, not connected; the descriptor. */
  socketInNetwork(network: number): number;
}

/** The folders that the container's overlay is made of. */
export interface StoppedRoot {
  /** An empty folder to mount on. */
  root: string;
  layersFolder: string;
  /** Topmost first. */
  layers: string[];
  upper: string;
  work: string;
}
