import type { Namespaces } from '../namespaces.ts';
import type { Cable, Plug } from '../network/wiring.ts';
import type { Device } from '../rootfs/devices.ts';
import type { Mount } from '../rootfs/mount.ts';
import type { InstalledFilter } from '../security/seccomp/filter.ts';

/**
 * What agent and zygote say to each other: JSON, one message a line, over the unix stream socket ZYGOTE_SOCKET that the
 * zygote listens on. One connection at a time: a newer one replaces the older. The zygote outlives the agent, so on
 * every connection it first sends `processes`: all it started and that were not forgotten, exit status included.
 *
 * A zygote decides nothing: names are resolved, folders, cgroups and FIFOs are made by the agent before it asks.
 */
export const ZYGOTE_SOCKET = '/run/nest/zygote.sock';

/** Longest line in bytes; who sends a longer one is disconnected. */
export const LINE_LIMIT = 1024 * 1024;

/**
 * How the process uses its three standard streams: FIFOs, opened by path before the root changes; null is /dev/null.
 * The zygote itself keeps the FIFOs of stdout and stderr open for reading (O_RDONLY | O_NONBLOCK, never read) until
 * `forget`: while the agent is away a writer meets no EPIPE, and what it wrote before it ended is kept.
 */
export interface Fifos extends Outputs {
  stdin: string | null;
}

export interface Outputs {
  stdout: string;
  stderr: string;
}

/**
 * Or a terminal of the container's own, whose other end the zygote keeps in the same way: `started` and `processes` tell
 * where, and the agent takes a copy.
 */
export interface Terminal {
  columns: number;
  rows: number;
}

/** Or those that the runtime has, when it is no zygote: they are passed on as they are. */
export interface Inherited {
  inherited: true;
}

export type Stdio = Fifos | Terminal | Inherited;

/** Each a 64-bit mask in hex, e.g. "a80425fb": capabilities(7). */
export interface CapabilitySets {
  bounding: string;
  effective: string;
  permitted: string;
  inheritable: string;
  ambient: string;
}

/** What few processes ask for; nothing of it costs those that do not. */
export interface ProcessOptions {
  /** RLIMIT_* by number; open files are limited in any case. */
  rlimits?: { resource: number; soft: number; hard: number }[];
  umask?: number;
  /** proc_pid_oom_score_adj(5) */
  oomScoreAdj?: number;
  /** personality(2) */
  personality?: number;
  /** struct sched_attr in base64: sched_setattr(2) */
  scheduler?: string;
  /** ioprio_set(2) */
  ioPriority?: number;
}

export interface ProcessInit {
  argv: string[];
  env: string[];
  cwd: string;
  uid: number;
  gid: number;
  groups: number[];
  stdio: Stdio;
  capabilities: CapabilitySets;
  noNewPrivileges: boolean;
  /** Null: unconfined. */
  seccomp: InstalledFilter | null;
  /** Folder of the cgroup v2 that the process is put into before it runs. */
  cgroup: string;
  options: ProcessOptions;
}

/** What a container has whichever one it is, so that it can be made before it is asked for. */
export interface Sandbox {
  namespaces: Namespaces;
  /** Of one that will be on a network; its network namespace is its own. */
  cable: Cable | null;
  /** The file systems of kernel-mounts.ts, with these paths hidden. Null: they are among the container's mounts. */
  staged: { shmSize: number } | null;
  /** The bounding set, as a mask in hex: no program in it can gain a capability that it has not. */
  capabilities: string;
  maskedPaths: string[];
  readonlyPaths: string[];
}

/** `layers`: names relative to `layersFolder`, topmost first (mount option order). */
export interface Overlay {
  root: string;
  layersFolder: string;
  layers: string[];
  upper: string;
  work: string;
}

/** A folder that somebody else made ready. */
export interface Bundle {
  root: string;
  /** MS_* of the root's mount, seen from the container. */
  propagation: number;
  /** The root is changed with chroot, for a guest whose own root is a ramfs: pivot_root(2), NOTES. */
  noPivot: boolean;
}

/** What few containers ask for; nothing of it costs those that do not. */
export interface ContainerOptions {
  domainname?: string;
  /** After the kernel's file systems, in this order. */
  mounts?: Mount[];
  devices?: Device[];
  /** Makes the default devices and links in a /dev that is not staged. */
  defaultDevices?: boolean;
  readonlyRoot?: boolean;
  /** Names as folders below /proc/sys, and values. */
  sysctls?: [name: string, value: string][];
}

/** A container's first process. */
export interface ContainerInit extends ProcessInit {
  sandbox: Sandbox;
  /** Null: it has the guest's. */
  hostname: string | null;
  /** What its cable is plugged into: at least one network, where it has a cable. */
  plugs: Plug[];
  rootfs: Overlay | Bundle;
  options: ProcessOptions & ContainerOptions;
}

/** A further process in a running container. */
export interface ExecInit extends ProcessInit {
  /** Id given to `start` of the container whose namespaces it joins. */
  container: string;
}

export type ToZygote =
  /**
   * Has a process ready in the cgroup `id`. The first `start` in that cgroup, if it has the same sandbox and outputs, is that
   * process and need not fork. Without a reply: a start does not depend on it. What was not used ends with the connection.
   */
  | { type: 'prepare'; id: string; sandbox: Sandbox; outputs: Outputs }
  | { type: 'start'; id: string; init: ContainerInit }
  | { type: 'exec'; id: string; init: ExecInit }
  /** Also while it starts. Safe against PID reuse: only the zygote reaps. Fails with ESRCH when the process has ended. */
  | { type: 'signal'; id: string; signal: number }
  /** Drop what is known about an ended process. A `start` or `exec` with its id does so, too. */
  | { type: 'forget'; id: string };

/** How a process ended: wait(2). */
export interface Exit {
  code: number | null;
  signal: number | null;
  /** Milliseconds since 1970. */
  at: number;
}

/** The other end of a terminal: a descriptor of the process, to be copied with pidfd_getfd(2). */
export interface TerminalEnd {
  process: number;
  fd: number;
}

export interface ZygoteProcess {
  id: string;
  pid: number;
  cgroup: string;
  terminal: TerminalEnd | null;
  exit: Exit | null;
}

export type FromZygote =
  | { type: 'processes'; processes: ZygoteProcess[] }
  /** execve succeeded. */
  | { type: 'started'; id: string; pid: number; cgroup: string; terminal: TerminalEnd | null }
  | { type: 'signalled'; id: string }
  | { type: 'exited'; id: string; exit: Exit }
  /** The request failed and left nothing behind. `operation` + `object` + errno name, e.g. execve /bin/x ENOENT. */
  | {
      type: 'failed';
      id: string;
      request: 'start' | 'exec' | 'signal';
      operation: string;
      object: string;
      errno: string;
    };
