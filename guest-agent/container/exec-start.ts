import { mkdirSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import type { ExecSpec } from '../api.ts';
import { conflict } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { makeFifos } from '../stdio/fifos.ts';
import type { ExecInit } from '../zygote/protocol.ts';
import { type Container, findContainer, findRunning, type Run } from './container.ts';
import { endOutput, type Exec, execFolder, refusePaused } from './exec.ts';
import { type ExecOutput, openExecOutput, openExecTerminal } from './exec-output.ts';
import { failedExitCode, startFailure } from './failure.ts';
import { processOptions } from './options.ts';
import { processInit } from './process-init.ts';
import { checkRunning } from './signals.ts';
import { resolveGroups, resolveUser } from './user.ts';

/**
 * Runs the process, with `stream` as its stdin and for its output. `begin` is called before the first frame; the stream
 * is ended when the process has exited. A stream that is closed earlier leaves the process running.
 */
export function startExec(runtime: Runtime, exec: Exec, stream: Duplex, begin: () => void): Promise<void> {
  return exec.inTurn(async () => {
    const { spec } = exec;
    if (spec === undefined) throw conflict(`start exec \`${exec.id}\`: it was started before`);
    const container = findContainer(runtime, exec.container);
    const { cgroup } = await currentRun(runtime, container);
    exec.spec = undefined;
    try {
      await launchExec(runtime, exec, {
        spec,
        cgroup,
        open: (folder) => openExecOutput(folder, spec.stdin, stream),
        openTerminal: (fd) => openExecTerminal(fd, spec.stdin, stream),
      });
    } catch (error) {
      // Where the container ended meanwhile, as with a zygote that died, that is why.
      await currentRun(runtime, container);
      throw error;
    }
    exec.ended = () => stream.end();
    begin();
    exec.output?.begin();
  });
}

/** In its turn: a zygote that has just come back may have told that the container runs no more. */
async function currentRun(runtime: Runtime, container: Container): Promise<Run> {
  await runtime.zygote.ready();
  return container.inTurn(() => findRunning(runtime, container.spec.id).run);
}

export interface ExecLaunch {
  spec: ExecSpec;
  /** The container's, or one inside it. */
  cgroup: string;
  /** Opens the agent's ends of the FIFOs in that folder. */
  open: (folder: string) => ExecOutput;
  /** Takes the other end of the terminal, for a spec that has one. */
  openTerminal?: (fd: number) => ExecOutput;
}

/** Runs the process. Runs in the exec's turn; its exit is recorded in a later one. */
export async function launchExec(
  runtime: Runtime,
  exec: Exec,
  { spec, cgroup, open, openTerminal }: ExecLaunch,
): Promise<void> {
  try {
    const container = findRunning(runtime, exec.container);
    refusePaused(container);
    const init = await prepareInit(runtime, container, spec);
    const folder = execFolder(runtime, exec.id);
    const stdio = spec.terminal ?? makeFifos(folder, spec.stdin, (path, mode) => runtime.kernel.mkfifo(path, mode));
    // Tells an agent that comes later whose process it is.
    if (spec.terminal !== undefined) mkdirSync(folder, { recursive: true, mode: 0o700 });
    else exec.output = open(folder);
    const { pid, terminal } = await runtime.zygote.exec(exec.id, { ...init, stdio, cgroup });
    if (terminal !== null) exec.output = openTerminal?.(runtime.kernel.openTerminal(terminal));
    exec.state = { running: true, exitCode: null, pid };
  } catch (error) {
    endOutput(runtime, exec);
    const failure = startFailure(spec.argv[0], error);
    exec.state = { running: false, exitCode: failedExitCode(failure), pid: 0 };
    throw failure;
  }
}

async function prepareInit(
  runtime: Runtime,
  container: Container & { run: Run },
  spec: ExecSpec,
): Promise<Omit<ExecInit, 'stdio' | 'cgroup'>> {
  const read = (path: string) => runtime.kernel.readInRunning(container.state.pid, path);
  const { groups = [] } = container.spec;
  const identity = resolveUser(spec.user, read);
  identity.groups.push(...resolveGroups(groups, read));
  // What was read is the container's own if its process is still there.
  if (spec.user !== '' || groups.length > 0) await checkRunning(runtime, container);
  return {
    container: container.spec.id,
    ...processInit(spec, container.spec, identity),
    options: processOptions(container.spec),
  };
}
