import type { Duplex } from 'node:stream';
import type { ExecSpec } from '../api.ts';
import { conflict } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { makeFifos } from '../stdio/fifos.ts';
import type { ExecInit } from '../zygote/protocol.ts';
import { type Container, findRunning, type Run } from './container.ts';
import { endOutput, type Exec, execFolder, refusePaused } from './exec.ts';
import { openExecOutput } from './exec-output.ts';
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
    try {
      const container = findRunning(runtime, exec.container);
      refusePaused(container);
      const init = await prepareInit(runtime, container, spec);
      const folder = execFolder(runtime, exec.id);
      const stdio = makeFifos(folder, spec.stdin, (path, mode) => runtime.kernel.mkfifo(path, mode));
      exec.output = openExecOutput(folder, spec.stdin, stream);
      const pid = await runtime.zygote.exec(exec.id, { ...init, stdio });
      exec.state = { running: true, exitCode: null, pid };
    } catch (error) {
      endOutput(runtime, exec);
      const failure = startFailure(spec.argv[0], error);
      exec.state = { running: false, exitCode: failedExitCode(failure), pid: 0 };
      throw failure;
    }
    exec.ended = () => stream.end();
    begin();
    exec.output.begin();
  });
}

async function prepareInit(
  runtime: Runtime,
  container: Container & { run: Run },
  spec: ExecSpec,
): Promise<Omit<ExecInit, 'stdio'>> {
  const identity = resolveUser(spec.user, (path) => runtime.kernel.readInRunning(container.state.pid, path));
  // What was read is the container's own if its process is still there.
  if (spec.user !== '') await checkRunning(runtime, container);
  return {
    container: container.spec.id,
    ...processInit(spec, identity),
    cgroup: container.run.cgroup,
  };
}
