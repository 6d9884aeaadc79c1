import type { Duplex } from 'node:stream';
import type { ExecSpec } from '../api.ts';
import { conflict } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { makeFifos } from '../stdio/fifos.ts';
import type { ExecInit } from '../zygote/protocol.ts';
import { type Container, findRunning, type Run } from './container.ts';
import { endOutput, type Exec, execFolder, refusePaused } from './exec.ts';
import { type ExecOutput, openExecOutput } from './exec-output.ts';
import { failedExitCode, startFailure } from './failure.ts';
import { processInit } from './process-init.ts';
import { checkRunning } from './signals.ts';
import { resolveUser } from './user.ts';

/**
 * Runs the process, with `stream` as its stdin and for its output. `begin` is called before the first frame; the stream
 * is ended when the process has exited. A stream that is closed earlier leaves the process running.
 */
export function startExec(runtime: Runtime, exec: Exec, stream: Duplex, begin: () => void): Promise<void> {
  return exec.inTurn(async () => {
    const { spec } = exec;
    if (spec === undefined) throw conflict(`start exec \`${exec.id}\`: it was started before`);
    exec.spec = undefined;
    const { cgroup } = findRunning(runtime, exec.container).run;
    const output = await launchExec(runtime, exec, {
      spec,
      cgroup,
      open: (folder) => openExecOutput(folder, spec.stdin, stream),
    });
    exec.ended = () => stream.end();
    begin();
    output.begin();
  });
}

export interface ExecLaunch {
  spec: ExecSpec;
  /** The container's, or one inside it. */
  cgroup: string;
  /** Opens the agent's ends of the FIFOs in that folder. */
  open: (folder: string) => ExecOutput;
}

/** Runs the process. Runs in the exec's turn; its exit is recorded in a later one. */
export async function launchExec(
  runtime: Runtime,
  exec: Exec,
  { spec, cgroup, open }: ExecLaunch,
): Promise<ExecOutput> {
  try {
    const container = findRunning(runtime, exec.container);
    refusePaused(container);
    const init = await prepareInit(runtime, container, spec);
    const folder = execFolder(runtime, exec.id);
    const stdio = makeFifos(folder, spec.stdin, (path, mode) => runtime.kernel.mkfifo(path, mode));
    const output = open(folder);
    exec.output = output;
    const pid = await runtime.zygote.exec(exec.id, { ...init, stdio, cgroup });
    exec.state = { running: true, exitCode: null, pid };
    return output;
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
  const identity = resolveUser(spec.user, (path) => runtime.kernel.readInRunning(container.state.pid, path));
  // What was read is the container's own if its process is still there.
  if (spec.user !== '') await checkRunning(runtime, container);
  return {
    container: container.spec.id,
    ...processInit(spec, identity),
  };
}
