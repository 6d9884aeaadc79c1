import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecSpec, ExecState } from '../api.ts';
import { conflict, notFound } from '../errors.ts';
import { execsFolder } from '../folders.ts';
import { randomHex } from '../random.ts';
import type { Runtime } from '../runtime.ts';
import type { Exit } from '../zygote/protocol.ts';
import { type Container, findRunning } from './container.ts';
import type { ExecOutput } from './exec-output.ts';
import { exitCodeOf } from './exit.ts';
import { serialQueue } from './queue.ts';

/** A further process in a container. What it writes goes to whoever started it, and nowhere else. */
export interface Exec {
  readonly id: string;
  /** Id of the container. */
  readonly container: string;
  readonly inTurn: ReturnType<typeof serialQueue>;
  state: ExecState;
  /** Undefined once it was started. */
  spec: ExecSpec | undefined;
  /** While its process runs. */
  output: ExecOutput | undefined;
  /** Called when its process is gone and all output was handed over. */
  ended: () => void;
}

export function createExec(runtime: Runtime, containerId: string, spec: ExecSpec): Exec {
  refusePaused(findRunning(runtime, containerId));
  return addExec(runtime, { id: randomHex(32), container: containerId, spec });
}

export function findExec(runtime: Runtime, id: string): Exec {
  const exec = runtime.execs.get(id);
  if (exec === undefined) throw notFound(`find exec \`${id}\`: there is none with this id`);
  return exec;
}

/** A process that joins a frozen cgroup stands still before its first instruction. */
export function refusePaused({ spec, state }: Container): void {
  if (state.paused) throw conflict(`exec in container \`${spec.id}\`: it is paused, resume it first`);
}

/** Keeps the newest ones: clients ask for the exit code soon after the end, or never. */
export function addExec(
  runtime: Runtime,
  { id, container, spec }: { id: string; container: string; spec: ExecSpec | undefined },
): Exec {
  if (runtime.execs.size >= EXECS_KEPT) {
    const oldest = [...runtime.execs.values()].find(({ state }) => !state.running);
    if (oldest === undefined) throw conflict(`create exec: ${runtime.execs.size} are running already`);
    removeExec(runtime, oldest);
  }
  const state = { running: false, exitCode: null, pid: 0 };
  const exec: Exec = { id, container, inTurn: serialQueue(), state, spec, output: undefined, ended: () => {} };
  runtime.execs.set(id, exec);
  return exec;
}

/** Runs in the exec's turn. */
export function recordExecExit(runtime: Runtime, exec: Exec, exit: Exit): void {
  endOutput(runtime, exec);
  exec.state = { running: false, exitCode: exitCodeOf(exit), pid: 0 };
  runtime.zygote.forget(exec.id);
  exec.ended();
}

export function removeExec(runtime: Runtime, exec: Exec): void {
  runtime.execs.delete(exec.id);
  endOutput(runtime, exec);
  exec.ended();
}

export function endOutput(runtime: Runtime, exec: Exec): void {
  exec.output?.finish();
  exec.output = undefined;
  rmSync(execFolder(runtime, exec.id), { recursive: true, force: true });
}

export const execFolder = (runtime: Runtime, id: string) => join(execsFolder(runtime.folders), id);

const EXECS_KEPT = 256;
