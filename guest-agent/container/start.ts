import { mkdirSync } from 'node:fs';
import type { ContainerState } from '../api.ts';
import { containerFolders } from '../folders.ts';
import type { Runtime } from '../runtime.ts';
import { MASKED_PATHS, READONLY_PATHS } from '../security/defaults.ts';
import type { ContainerInit } from '../zygote/protocol.ts';
import { type Container, isRunning, setState } from './container.ts';
import { failedExitCode, startFailure } from './failure.ts';
import { processInit } from './process-init.ts';
import { closeRun, removeRun, makeRun } from './run.ts';
import { stoppedRoot } from './stopped-root.ts';
import { resolveUser } from './user.ts';

/** Starting a running container succeeds. A restart that is due happens now. */
export function startContainer(runtime: Runtime, container: Container): Promise<ContainerState> {
  return container.inTurn(() => {
    if (isRunning(container)) return container.state;
    container.cancelRestart();
    container.restartDelay = 0;
    container.stopRequested = false;
    return launch(runtime, container, 0);
  });
}

/** Starts the container's process. Runs in the container's turn. @param restarts automatic ones so far */
export async function launch(runtime: Runtime, container: Container, restarts: number): Promise<ContainerState> {
  const { spec } = container;
  try {
    await using undo = new AsyncDisposableStack();
    const init = prepareInit(runtime, container);
    const { run, stdio } = makeRun(runtime, container);
    undo.defer(() => removeRun(runtime, spec.id, run.cgroup));
    undo.defer(() => closeRun(container, run));
    const pid = await runtime.zygote.start(spec.id, { ...init, stdio, cgroup: run.cgroup });
    undo.move();
    container.run = run;
    const startedAt = runtime.clock.now();
    return setState(runtime, container, { ...FRESH, status: 'running', pid, startedAt, restarts });
  } catch (error) {
    const failure = startFailure(spec.argv[0], error);
    const status = container.state.status === 'created' ? 'created' : 'exited';
    const finishedAt = status === 'exited' ? runtime.clock.now() : 0;
    setState(runtime, container, {
      ...FRESH,
      status,
      finishedAt,
      exitCode: failedExitCode(failure),
      error: failure.message,
    });
    throw failure;
  }
}

function prepareInit(runtime: Runtime, container: Container): Omit<ContainerInit, 'stdio' | 'cgroup'> {
  const { spec } = container;
  const { root, work } = containerFolders(runtime.folders, spec.id);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const rootfs = stoppedRoot(runtime, container);
  const identity = resolveUser(spec.user, (path) => runtime.kernel.readInStopped(rootfs, path));
  return {
    ...processInit(spec, identity),
    hostname: spec.hostname,
    rootfs: { ...rootfs, work },
    maskedPaths: MASKED_PATHS,
    readonlyPaths: READONLY_PATHS,
  };
}

const FRESH = { pid: 0, exitCode: 0, oomKilled: false, error: '' };
