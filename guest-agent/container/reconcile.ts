import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { report } from '../errors.ts';
import { execsFolder, slotPaths } from '../folders.ts';
import type { Runtime } from '../runtime.ts';
import type { Exit, ZygoteProcess } from '../zygote/protocol.ts';
import { type Container, openContainer, type Run, setState } from './container.ts';
import { addExec, execFolder, recordExecExit } from './exec.ts';
import { dropExecOutput, dropExecTerminal } from './exec-output.ts';
import { recordExit, recordLoss, restartAfter } from './exit.ts';
import { removeTree } from './remove-tree.ts';
import { openRun, openRunTerminal } from './run.ts';
import { openSlot, removeSlot, sweepSlots } from './slots.ts';
import { loadContainers } from './store.ts';
import { finishUpdate } from './update.ts';

/** Reads what an earlier agent left on disk, and finishes its deletions. */
export function loadState(runtime: Runtime): void {
  const { containers, leftovers } = loadContainers(runtime.folders);
  for (const stored of containers) openContainer(runtime, stored);
  for (const folder of leftovers) removeTree(folder).catch((error: unknown) => report(`delete \`${folder}\``, error));
}

/**
 * Brings what the agent knows in line with the processes that the zygote has: after a restart of the agent, of the zygote
 * or of the guest. Running containers are adopted, exits that nobody saw are recorded.
 */
export async function reconcile(runtime: Runtime, processes: ZygoteProcess[]): Promise<void> {
  runtime.networks.restore();
  const byId = new Map(processes.map((process) => [process.id, process]));
  const lost = [...runtime.containers.values()].filter(
    ({ spec, state }) => state.status === 'running' && !byId.has(spec.id),
  );
  // Before anything new can be in one: what a given-up start left, and those that waited for an earlier agent.
  const used = [...processes, ...lost].map(({ cgroup }) => cgroup);
  sweepSlots(runtime, new Set([...used, ...runtime.slots.waiting()]));
  const containers = [...runtime.containers.values()].map((container) =>
    container.inTurn(() => reconcileContainer(runtime, container, byId.get(container.spec.id))),
  );
  const lostExecs = [...runtime.execs.values()]
    .filter(({ id, state }) => state.running && !byId.has(id))
    .map((exec) => exec.inTurn(() => recordExecExit(runtime, exec, { code: 255, signal: null, at: 0 })));
  removeUnusedExecFolders(runtime, byId);
  for (const process of processes)
    if (!runtime.containers.has(process.id) && !runtime.execs.has(process.id)) adoptStray(runtime, process);
  for (const result of await Promise.allSettled([...containers, ...lostExecs]))
    if (result.status === 'rejected') report('reconcile', result.reason);
}

/** A start that an earlier agent asked for, or this one before it lost the zygote. */
export function dispatchStart(runtime: Runtime, started: Omit<ZygoteProcess, 'exit'>): void {
  const { id } = started;
  const process = { ...started, exit: null };
  const container = runtime.containers.get(id);
  if (container === undefined) {
    adoptStray(runtime, process);
    return;
  }
  container
    .inTurn(() => reconcileContainer(runtime, container, process))
    .catch((error: unknown) => report(`adopt container \`${id}\``, error));
}

/** An exit that the zygote told of: a container's, an exec's, or that of something nobody asked for. */
export function dispatchExit(runtime: Runtime, id: string, exit: Exit): void {
  const container = runtime.containers.get(id);
  const exec = runtime.execs.get(id);
  const recorded =
    container?.inTurn(() => recordExit(runtime, container, exit)) ??
    exec?.inTurn(() => recordExecExit(runtime, exec, exit));
  if (recorded === undefined) runtime.zygote.forget(id);
  else recorded.catch((error: unknown) => report(`record the exit of \`${id}\``, error));
}

function reconcileContainer(runtime: Runtime, container: Container, process: ZygoteProcess | undefined): void {
  reconcileProcess(runtime, container, process);
  finishUpdate(runtime, container);
}

function reconcileProcess(runtime: Runtime, container: Container, process: ZygoteProcess | undefined): void {
  const { status, finishedAt, pid } = container.state;
  if (process === undefined) {
    if (status === 'running') recordLoss(runtime, container);
    else if (status === 'restarting') restartAfter(runtime, container, container.restartDelay);
    return;
  }
  // Recorded before: only forgetting it was left to do.
  if (status !== 'running' && process.exit !== null && process.exit.at <= finishedAt) {
    runtime.zygote.forget(container.spec.id);
    removeSlot(runtime, process.cgroup);
    if (status === 'restarting') restartAfter(runtime, container, container.restartDelay);
    return;
  }
  container.run ??= adoptRun(runtime, container, process);
  container.cgroup = process.cgroup;
  if (status !== 'running' || pid !== process.pid) {
    // Which process it is has not been written down: start.ts.
    const startedAt = status === 'running' && pid === 0 ? container.state.startedAt : runtime.clock.now();
    setState(runtime, container, { status: 'running', pid: process.pid, startedAt, exitCode: 0, error: '' });
  }
  // Paused or resumed by an agent that was killed before it could say so.
  const paused = runtime.kernel.isFrozen(container.run.cgroup);
  if (paused !== container.state.paused) setState(runtime, container, { paused });
  if (process.exit !== null) recordExit(runtime, container, process.exit);
}

/** Without its FIFOs a process can only be ended: the start that it belongs to was given up. */
function adoptRun(runtime: Runtime, container: Container, { cgroup, terminal }: ZygoteProcess): Run {
  const { stdout } = slotPaths(runtime.folders, basename(cgroup));
  if (existsSync(stdout)) {
    const run = openRun(runtime, container, openSlot(runtime, cgroup, false));
    if (terminal !== null) openRunTerminal(runtime, container, run, terminal);
    for (const { unlogged } of run.outputs) unlogged.recover();
    return run;
  }
  runtime.kernel.killCgroup(cgroup);
  return { cgroup, outputs: [], stdin: undefined, terminal: undefined, network: undefined };
}

/** A process that is no container's: an exec that outlived its agent, or what a given-up request left. */
function adoptStray(runtime: Runtime, { id, pid, exit, terminal }: ZygoteProcess): void {
  const folder = execFolder(runtime, id);
  if (exit !== null) {
    runtime.zygote.forget(id);
  } else if (existsSync(folder)) {
    const exec = addExec(runtime, { id, container: '', spec: undefined });
    exec.state = { running: true, exitCode: null, pid };
    exec.output = terminal === null ? dropExecOutput(folder) : dropExecTerminal(runtime.kernel.openTerminal(terminal));
  } else {
    runtime.zygote.signal(id, SIGKILL).catch((error: unknown) => report(`end process \`${id}\``, error));
  }
}

function removeUnusedExecFolders(runtime: Runtime, processes: Map<string, ZygoteProcess>): void {
  const parent = execsFolder(runtime.folders);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  for (const id of readdirSync(parent))
    if (!runtime.execs.has(id) && processes.get(id)?.exit !== null) rmSync(join(parent, id), { recursive: true });
}

const SIGKILL = 9;
