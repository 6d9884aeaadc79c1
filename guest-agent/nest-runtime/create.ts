import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { containerInit, joinedNamespaces, ownNamespaces, timeOffsets } from '../oci/container.ts';
import { type Config, parseConfig, type Process } from '../oci/config.ts';
import { mountsOf } from '../oci/mounts.ts';
import { CLONE_NEWPID, CLONE_NEWUSER, S_IFIFO } from '../sys/constants.ts';
import { linux as sys } from '../sys/sys.ts';
import { initContainer } from '../zygote/init.ts';
import type { Call } from './arguments.ts';
import { makeCgroup, removeContainerCgroup } from './cgroup.ts';
import { connectConsole } from './console.ts';
import { removeContainer } from './delete.ts';
import { RuntimeError } from './errors.ts';
import { runHooks, runHooksHere } from './hooks.ts';
import { launchProcess } from './launch.ts';
import { preservedOf } from './preserved.ts';
import { detachMounts } from './detached-mounts.ts';
import { startContainer } from './start.ts';
import { stateOf } from './state.ts';
import { type Container, files, forget, reserve, save, startTimeOf } from './store.ts';
import { relayTerminal } from './relay.ts';

export function create(call: Call): undefined {
  createContainer(call, connectConsole(call.flags['console-socket']));
}

/** Stays with the container until it ends; with --detach until it runs. @returns its exit status */
export async function run(call: Call): Promise<number> {
  const config = readConfig(call);
  const detached = call.flags['detach'] === true;
  const console = call.flags['console-socket'];
  if (config.process.terminal && console === undefined && detached)
    throw new RuntimeError('run: a detached container with a terminal needs --console-socket');
  const relay = config.process.terminal && console === undefined ? relayTerminal() : undefined;
  const container = createContainer(call, relay?.socket ?? connectConsole(console));
  startContainer(container);
  if (detached) return 0;
  const status = await (relay?.untilEnd(container.pid) ?? waitInForeground(container.pid));
  if (call.flags['keep'] !== true) removeContainer(container);
  return status;
}

/** On failure nothing of it is left. @param console socket that takes the terminal, or -1 */
function createContainer({ options, flags, words }: Call, console: number): Container {
  const bundle = bundleOf(flags);
  const config = readConfig({ flags });
  if (config.process.terminal && console < 0)
    throw new RuntimeError('create: process.terminal is true: a terminal needs --console-socket');
  const preserved = preservedOf(flags['preserve-fds']);
  const id = words[0] ?? '';
  const folder = reserve(options.root, id);
  using undo = new DisposableStack();
  undo.defer(() => forget(folder));
  const cgroup = makeCgroup(config, id, options.systemdCgroup);
  undo.defer(() => removeContainerCgroup(cgroup));
  const names = files(folder);
  writeFileSync(names.config, JSON.stringify(config), { mode: 0o600 });
  sys.mknod(names.startFifo, S_IFIFO | 0o600, 0);
  const stored = { id, bundle, cgroup, namespaces: namespacesOf(config), created: new Date().toISOString() };
  const describe = (pid: number): Container => ({ ...stored, pid, startTime: startTimeOf(pid), folder, config });

  const own = ownNamespaces(config);
  const mounts = detachMounts(mountsOf(config, bundle, cgroup), (own & CLONE_NEWUSER) !== 0);
  const init = {
    ...containerInit(config, bundle, mounts, { noPivot: flags['no-pivot'] === true }),
    stdio: terminalOf(config.process) ?? ({ inherited: true } as const),
    cgroup,
  };
  const { hooks } = config;
  // The process does not know how the runtime sees its number.
  const stateHere = stateOf({ ...stored, pid: 1, startTime: '', folder, config }, 'created');
  const joined = joinedNamespaces(config);
  const joinedPid = joined.find(({ type }) => type === CLONE_NEWPID);
  const joinedUser = joined.find(({ type }) => type === CLONE_NEWUSER);
  if (joinedUser !== undefined && own & CLONE_NEWPID)
    throw new RuntimeError('create: a new PID namespace in a user namespace that exists is not supported');
  if (joinedUser !== undefined) init.sandbox.namespaces.joined.unshift(joinedUser);
  if (joinedPid !== undefined) sys.setns(sys.open(joinedPid.at, 0), CLONE_NEWPID);
  const pid = launchProcess(
    {
      namespaces: own & (CLONE_NEWPID | CLONE_NEWUSER),
      cgroup,
      idMaps:
        own & CLONE_NEWUSER
          ? { uids: config.linux?.uidMappings ?? [], gids: config.linux?.gidMappings ?? [] }
          : undefined,
      changesUser: (own & CLONE_NEWUSER) !== 0,
      oomScoreAdj: config.process.oomScoreAdj ?? undefined,
      console: config.process.terminal ? console : -1,
      preserved,
      startFifo: names.startFifo,
      created(pid) {
        const offsets = timeOffsets(config);
        // In a user namespace it has no right to more than this process has.
        for (const { resource, soft, hard } of init.options.rlimits ?? []) sys.setrlimit(resource, soft, hard, pid);
        if (offsets !== '') writeFileSync(`/proc/${pid}/timens_offsets`, offsets);
        const state = stateOf(describe(pid), 'created');
        runHooks(hooks?.prestart, state, 'throw');
        runHooks(hooks?.createRuntime, state, 'throw');
      },
      inContainer: {
        created: () => runHooksHere(hooks?.createContainer, stateHere),
        start: () => runHooksHere(hooks?.startContainer, stateHere),
      },
    },
    config.process.args[0] ?? '',
    (gates, ignored) => initContainer(sys, init, ignored, gates),
  );
  undo.defer(() => process.kill(pid, constants.signals.SIGKILL));
  const container = describe(pid);
  save(folder, { ...stored, pid, startTime: container.startTime });
  if (typeof flags['pid-file'] === 'string') writePidFile(flags['pid-file'], pid);
  undo.move();
  return container;
}

const bundleOf = (flags: Call['flags']) => resolve(typeof flags['bundle'] === 'string' ? flags['bundle'] : '.');

function readConfig({ flags }: Pick<Call, 'flags'>): Config & { process: Process } {
  const file = join(bundleOf(flags), 'config.json');
  const config = parseConfig(parseJson(file));
  if (!config.process) throw new RuntimeError(`check config.json: process: needed to start a container`);
  return { ...config, process: config.process };
}

function parseJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new RuntimeError(`read \`${file}\`: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Written aside and renamed: who waits for it reads a whole number. */
export function writePidFile(file: string, pid: number): void {
  writeFileSync(`${file}.new`, String(pid));
  renameSync(`${file}.new`, file);
}

export const terminalOf = ({ terminal, consoleSize }: Process) =>
  terminal ? { columns: consoleSize?.width ?? 0, rows: consoleSize?.height ?? 0 } : undefined;

const namespacesOf = (config: Config) =>
  ownNamespaces(config) | joinedNamespaces(config).reduce((flags, { type }) => flags | type, 0);

/** Passes signals on and waits for the process, a child of this one. */
export function waitInForeground(pid: number): Promise<number> {
  const ended = Promise.withResolvers<number>();
  for (const signal of FORWARDED) process.on(signal, () => process.kill(pid, signal));
  const timer = setInterval(() => {
    const exit = sys.wait(pid);
    if (exit === null) return;
    clearInterval(timer);
    ended.resolve(exit.code ?? 128 + (exit.signal ?? 0));
  }, POLL);
  return ended.promise;
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const;
/** Milliseconds. */
const POLL = 20;
