import { OWN } from '../namespaces.ts';
import { CLONE_NEWPID, EPOLLIN, O_CLOEXEC, O_RDONLY, SOCK_CLOEXEC } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { SystemError } from '../sys/system-error.ts';
import { joinContainer } from './exec.ts';
import { type Gates, NO_GATES } from './gates.ts';
import { initContainer } from './init.ts';
import { launch } from './launch.ts';
import type { Loop } from './loop.ts';
import { closeOutputs, type Held, holdOutputs } from './outputs.ts';
import type {
  ContainerInit,
  ExecInit,
  Exit,
  FromZygote,
  Outputs,
  Sandbox,
  TerminalEnd,
  ZygoteProcess,
} from './protocol.ts';
import { type Failure, parseReport } from './report.ts';
import { trackSpares } from './spares.ts';

/** All processes that the zygote started, until they are forgotten. What is asked and fails throws a SystemError. */
export interface Processes {
  prepare(cgroup: string, sandbox: Sandbox, outputs: Outputs): void;
  /** What was prepared and not used ends. */
  dismissSpares(): void;
  start(id: string, init: ContainerInit): void;
  exec(id: string, init: ExecInit): void;
  signal(id: string, signal: number): void;
  forget(id: string): void;
  list(): ZygoteProcess[];
}

interface Child extends Held {
  id: string;
  cgroup: string;
  request: 'start' | 'exec';
  /** On its way to execve; then running, failed or ended without a word; then ended. */
  state: 'starting' | 'silent' | 'running' | Failure | Exit;
  report: string;
  /** A socket that brings the terminal's other end; that end, once the process runs, is among `held`. */
  console: number | null;
  terminal: TerminalEnd | null;
}

/**
 * @param tell takes what becomes of the processes
 * @param leave closes, in a child, what the agent would take for the zygote as long as it is open
 */
export function trackProcesses(
  sys: Sys,
  loop: Loop,
  ignoredSignals: number[],
  tell: (message: FromZygote) => void,
  leave: () => void = () => {},
): Processes {
  const children = new Map<string, Child>();
  const spares = trackSpares(sys, loop, ignoredSignals);
  const ownPidNamespace = sys.open('/proc/self/ns/pid', O_RDONLY | O_CLOEXEC);
  const buffer = Buffer.alloc(4096);

  const begin = (
    id: string,
    request: Child['request'],
    init: ContainerInit | ExecInit,
    launchChild: (gates: Gates) => Held,
  ) => {
    const previous = children.get(id);
    if (previous !== undefined && !hasEnded(previous)) throw new SystemError(request, id, EEXIST);
    if (previous !== undefined) drop(previous);
    const { launched, console } = withConsole(init, launchChild);
    const { pid, pidfd, status, held } = launched;
    const child: Child = {
      id,
      cgroup: init.cgroup,
      request,
      pid,
      pidfd,
      status,
      held,
      state: 'starting',
      report: '',
      console,
      terminal: null,
    };
    children.set(id, child);
    loop.watch(child.status, EPOLLIN, () => readReport(child));
    loop.watch(child.pidfd, EPOLLIN, () => reap(child));
  };

  /** A process with a terminal gets a socket to send its other end through. */
  const withConsole = (init: ContainerInit | ExecInit, launchChild: (gates: Gates) => Held) => {
    if (!('rows' in init.stdio)) return { launched: launchChild(NO_GATES), console: null };
    const [console, theirs] = sys.socketPair(SOCK_CLOEXEC);
    try {
      return { launched: launchChild({ ...NO_GATES, console: theirs }), console };
    } catch (error) {
      sys.close(console);
      throw error;
    } finally {
      sys.close(theirs);
    }
  };

  const readReport = (child: Child) => {
    const count = sys.read(child.status, buffer);
    if (count === null) return;
    child.report += buffer.toString('utf8', 0, count);
    if (count > 0) {
      readReport(child);
      return;
    }
    loop.unwatch(child.status);
    sys.close(child.status);
    const report = parseReport(child.report);
    if (child.console !== null) takeTerminal(child, child.console);
    const { id, pid, cgroup, terminal } = child;
    if (report === 'ready') tell({ type: 'started', id, pid, cgroup, terminal });
    child.state = report === 'ready' ? 'running' : report;
  };

  /** It was sent before the report came to its end, or never will be. */
  const takeTerminal = (child: Child, console: number) => {
    const fd = sys.receiveDescriptor(console);
    sys.close(console);
    child.console = null;
    if (fd === null) return;
    child.held.push(fd);
    child.terminal = { process: process.pid, fd };
  };

  const reap = (child: Child) => {
    const ended = sys.wait(child.pid);
    if (ended === null) return;
    if (child.state === 'starting') readReport(child);
    loop.unwatch(child.pidfd);
    sys.close(child.pidfd);
    if (child.state === 'running') {
      child.state = { ...ended, at: Date.now() };
      tell({ type: 'exited', id: child.id, exit: child.state });
    } else {
      fail(child, child.state === 'silent' ? killed(ended.signal) : (child.state as Failure));
    }
  };

  /** Told only now that the child is gone: it left nothing behind, its cgroup can be removed. */
  const fail = (child: Child, failure: Failure) => {
    drop(child);
    tell({ type: 'failed', id: child.id, request: child.request, ...failure });
  };

  const drop = (child: Child) => {
    closeOutputs(sys, child);
    children.delete(child.id);
  };

  const findRunning = (id: string): Child => {
    const child = children.get(id);
    if (child?.state !== 'running') throw new SystemError('join', id, ESRCH);
    return child;
  };

  return {
    prepare: (cgroup, sandbox, outputs) => spares.prepare(cgroup, sandbox, outputs),
    dismissSpares: () => spares.dismiss(),

    start(id, init) {
      const child = (gates: Gates) => () => {
        leave();
        initContainer(sys, init, ignoredSignals, gates);
      };
      const fork = (gates: Gates) => () => launch(sys, CLONE_NEWPID, init.cgroup, child(gates));
      begin(id, 'start', init, (gates) => spares.take(init) ?? holdOutputs(sys, init.stdio, fork(gates)));
    },

    exec(id, init) {
      const container = findRunning(init.container).pidfd;
      const child = (gates: Gates) => () => {
        leave();
        joinContainer(sys, init, container, ignoredSignals, OWN, gates);
      };
      // Holds for children born from now on; this process itself stays where it is.
      sys.setns(container, CLONE_NEWPID);
      try {
        begin(id, 'exec', init, (gates) =>
          holdOutputs(sys, init.stdio, () => launch(sys, 0, init.cgroup, child(gates))),
        );
      } finally {
        sys.setns(ownPidNamespace, CLONE_NEWPID);
      }
    },

    signal(id, signal) {
      const child = children.get(id);
      if (child === undefined || hasEnded(child)) throw new SystemError('kill', id, ESRCH);
      sys.sendSignal(child.pidfd, signal);
    },

    forget(id) {
      const child = children.get(id);
      if (child !== undefined && hasEnded(child)) drop(child);
    },

    list: () =>
      [...children.values()].map((child) => ({
        id: child.id,
        pid: child.pid,
        cgroup: child.cgroup,
        terminal: child.terminal,
        exit: hasEnded(child) ? child.state : null,
      })),
  };
}

/** Killed on its way, as by a memory limit that is too small for it, or by a `signal` request. */
const killed = (signal: number | null): Failure => ({
  operation: 'initialize',
  object: `process, ended by signal ${signal ?? 'none'}`,
  errno: 'ECANCELED',
});

const hasEnded = (child: Child): child is Child & { state: Exit } =>
  typeof child.state === 'object' && 'at' in child.state;

const ESRCH = 3;
const EEXIST = 17;
