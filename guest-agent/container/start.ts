import type { ContainerState } from '../api.ts';
import { openJoined } from '../network/joined.ts';
import type { Runtime } from '../runtime.ts';
import { ZygoteAway } from '../zygote-client.ts';
import type { ContainerInit } from '../zygote/protocol.ts';
import { type Container, isRunning, keepState, setState, tellState } from './container.ts';
import { failedExitCode, startFailure } from './failure.ts';
import { fillVolumes } from './fill-volumes.ts';
import { commandOf, containerOptions, sandboxOf } from './options.ts';
import { processInit } from './process-init.ts';
import { closeRun, makeRun, openRunTerminal } from './run.ts';
import { removeSlot } from './slots.ts';
import { stoppedRoot } from './stopped-root.ts';
import { resolveGroups, resolveUser } from './user.ts';

/** Starting a running container succeeds. A restart that is due happens now. */
export async function startContainer(runtime: Runtime, container: Container): Promise<ContainerState> {
  await runtime.zygote.ready();
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
    if (spec.volumes?.length) await fillVolumes(runtime, container);
    using joined = await openJoined(runtime, spec);
    using held = new DisposableStack();
    held.defer(runtime.slots.hold());
    await using undo = new AsyncDisposableStack();
    const { run, paths, cable } = makeRun(runtime, container);
    undo.defer(() => removeSlot(runtime, run.cgroup));
    undo.defer(() => closeRun(container, run));
    const sandbox = sandboxOf(spec, cable, joined);
    const init = { ...prepareInit(runtime, container, paths.root), sandbox };
    const fifos = { stdin: spec.stdin ? paths.stdin : null, stdout: paths.stdout, stderr: paths.stderr };
    container.cgroup = run.cgroup;
    const started = { ...FRESH, status: 'running' as const, startedAt: runtime.clock.now(), restarts };
    // While the zygote works. Which process it is, and whether there is one, the zygote tells every new agent.
    const [{ pid, terminal }] = await Promise.all([
      runtime.zygote.start(spec.id, { ...init, stdio: spec.terminal ?? fifos, cgroup: run.cgroup }),
      Promise.try(() => {
        keepState(runtime, container, started);
        container.log.open();
      }),
    ]);
    undo.move();
    if (terminal !== null) openRunTerminal(runtime, container, run, terminal);
    container.run = run;
    return tellState(runtime, container, { ...started, pid });
  } catch (error) {
    const failure = startFailure(spec.argv[0], error);
    const status = statusAfter(container, restarts > 0 && error instanceof ZygoteAway);
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

/** @param again an automatic restart met no zygote, and is due again */
function statusAfter({ state }: Container, again: boolean): ContainerState['status'] {
  if (state.status === 'created') return 'created';
  return again ? 'restarting' : 'exited';
}

function prepareInit(
  runtime: Runtime,
  container: Container,
  root: string,
): Omit<ContainerInit, 'stdio' | 'cgroup' | 'sandbox'> {
  const { spec } = container;
  const rootfs = { ...stoppedRoot(runtime, container), root };
  const read = (path: string) => runtime.kernel.readInStopped(rootfs, path);
  const identity = resolveUser(spec.user, read);
  identity.groups.push(...resolveGroups(spec.groups ?? [], read));
  return {
    ...processInit({ ...spec, argv: commandOf(spec) }, spec, identity),
    options: containerOptions(spec, runtime),
    hostname: spec.hostname,
    plugs: runtime.networks.plugs(container),
    rootfs,
  };
}

const FRESH = { pid: 0, exitCode: 0, oomKilled: false, error: '' };
