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
export interface Stdio extends Outputs {
  stdin: string | null;
}

export interface Outputs {
  stdout: string;
  stderr: string;
}

interface ProcessInit {
  argv: string[];
  env: string[];
  cwd: string;
  uid: number;
  gid: number;
  groups: number[];
  stdio: Stdio;
  /** Permitted and effective set, of a further process the bounding set too, as a 64-bit mask in hex, e.g. "a80425fb"; capabilities(7). */
  capabilities: string;
  noNewPrivileges: boolean;
  /** Folder of the cgroup v2 that the process is put into before it runs. */
  cgroup: string;
}

/** What a container has whichever one it is, so that it can be made before it is asked for. */
export interface Sandbox {
  /** The bounding set, as a mask in hex: no program in it can gain a capability that it has not. */
  capabilities: string;
  maskedPaths: string[];
  readonlyPaths: string[];
}

/** A container's first process: PID 1 in new PID, mount, network, UTS, IPC and cgroup namespaces. */
export interface ContainerInit extends ProcessInit {
  sandbox: Sandbox;
  hostname: string;
  /** Overlay mounted on `root`. `layers`: names relative to `layersFolder`, topmost first (mount option order). */
  rootfs: { root: string; layersFolder: string; layers: string[]; upper: string; work: string };
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

export interface ZygoteProcess {
  id: string;
  pid: number;
  cgroup: string;
  exit: Exit | null;
}

export type FromZygote =
  | { type: 'processes'; processes: ZygoteProcess[] }
  /** execve succeeded. */
  | { type: 'started'; id: string; pid: number; cgroup: string }
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
