import { CLONE_NEWPID, EPOLLIN, O_CLOEXEC, O_NONBLOCK, O_RDONLY } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import { SystemError } from '../sys/system-error.ts';
import { joinContainer } from './exec.ts';
import { initContainer } from './init.ts';
import { type Launched, launch } from './launch.ts';
import type { Loop } from './loop.ts';
import type { ContainerInit, ExecInit, Exit, FromZygote, Stdio, ZygoteProcess } from './protocol.ts';
import { type Failure, parseReport } from './report.ts';

/** All processes that the zygote started, until they are forgotten. What is asked and fails throws a SystemError. */
export interface Processes {
  start(id: string, init: ContainerInit): void;
  exec(id: string, init: ExecInit): void;
  signal(id: string, signal: number): void;
  forget(id: string): void;
  list(): ZygoteProcess[];
}

interface Child extends Launched {
  id: string;
  request: 'start' | 'exec';
  /** On its way to execve; then running, failed or ended without a word; then ended. */
  state: 'starting' | 'silent' | 'running' | Failure | Exit;
  report: string;
  /** Reading ends of its output, held so that nothing it wrote is lost: protocol.ts, Stdio. */
  outputs: number[];
}

/** @param tell takes what becomes of the processes */
export function trackProcesses(
  sys: Sys,
  loop: Loop,
  ignoredSignals: number[],
  tell: (message: FromZygote) => void,
): Processes {
  const children = new Map<string, Child>();
  const ownPidNamespace = sys.open('/proc/self/ns/pid', O_RDONLY | O_CLOEXEC);
  const buffer = Buffer.alloc(4096);

  const begin = (
    id: string,
    request: Child['request'],
    init: ContainerInit | ExecInit,
    launchChild: () => Launched,
  ) => {
    const previous = children.get(id);
    if (previous !== undefined && !hasEnded(previous)) throw new SystemError(request, id, EEXIST);
    if (previous !== undefined) drop(previous);
    const outputs = holdOutputs(sys, init.stdio);
    let launched: Launched;
    try {
      launched = launchChild();
    } catch (error) {
      for (const fd of outputs) sys.close(fd);
      throw error;
    }
    const child: Child = { id, request, ...launched, state: 'starting', report: '', outputs };
    children.set(id, child);
    loop.watch(child.status, EPOLLIN, () => readReport(child));
    loop.watch(child.pidfd, EPOLLIN, () => reap(child));
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
    if (report === 'ready') tell({ type: 'started', id: child.id, pid: child.pid });
    child.state = report === 'ready' ? 'running' : report;
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
    for (const fd of child.outputs) sys.close(fd);
    children.delete(child.id);
  };

  const findRunning = (id: string): Child => {
    const child = children.get(id);
    if (child?.state !== 'running') throw new SystemError('join', id, ESRCH);
    return child;
  };

  return {
    start(id, init) {
      const child = () => initContainer(sys, init, ignoredSignals);
      begin(id, 'start', init, () => launch(sys, CLONE_NEWPID, init.cgroup, child));
    },

    exec(id, init) {
      const container = findRunning(init.container).pidfd;
      const child = () => joinContainer(sys, init, container, ignoredSignals);
      // Holds for children born from now on; this process itself stays where it is.
      sys.setns(container, CLONE_NEWPID);
      try {
        begin(id, 'exec', init, () => launch(sys, 0, init.cgroup, child));
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

function holdOutputs(sys: Sys, { stdout, stderr }: Stdio): number[] {
  const first = sys.open(stdout, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  try {
    return [first, sys.open(stderr, O_RDONLY | O_NONBLOCK | O_CLOEXEC)];
  } catch (error) {
    sys.close(first);
    throw error;
  }
}

const hasEnded = (child: Child): child is Child & { state: Exit } =>
  typeof child.state === 'object' && 'at' in child.state;

const ESRCH = 3;
const EEXIST = 17;
