import { readFileSync } from 'node:fs';
import { Process } from '../oci/config.ts';
import { problems } from '../oci/problems.ts';
import { processInit } from '../oci/process.ts';
import { CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUSER, O_CLOEXEC, O_RDONLY } from '../sys/constants.ts';
import { linux as sys } from '../sys/sys.ts';
import { joinContainer } from '../zygote/exec.ts';
import type { Call } from './arguments.ts';
import { connectConsole } from './console.ts';
import { terminalOf, waitInForeground, writePidFile } from './create.ts';
import { RuntimeError } from './errors.ts';
import { launchProcess } from './launch.ts';
import { preservedOf } from './preserved.ts';
import { relayTerminal } from './relay.ts';
import { type Container, find, statusOf } from './store.ts';

/** @returns exit status of the process; with --detach 0 once it runs */
export async function exec({ options, flags, words }: Call): Promise<number> {
  const container = find(options.root, words[0] ?? '');
  const status = statusOf(container);
  if (status === 'stopped') throw new RuntimeError(`exec in container \`${container.id}\`: it is stopped`);
  if (status === 'paused' && flags['ignore-paused'] !== true)
    throw new RuntimeError(`exec in container \`${container.id}\`: it is paused`);
  const process = processOf(container, flags, words.slice(1));
  const detached = flags['detach'] === true;
  if (process.terminal && detached && flags['console-socket'] === undefined)
    throw new RuntimeError('exec: a detached process with a terminal needs --console-socket');
  const relay = process.terminal && flags['console-socket'] === undefined ? relayTerminal() : undefined;
  const socket = relay?.socket ?? connectConsole(flags['console-socket']);
  const pid = launch(container, process, socket, preservedOf(flags['preserve-fds']));
  if (typeof flags['pid-file'] === 'string') writePidFile(flags['pid-file'], pid);
  if (detached) return 0;
  return relay?.untilEnd(pid) ?? waitInForeground(pid);
}

function launch(container: Container, process: Process, console: number, preserved: number): number {
  const target = sys.openPid(container.pid);
  const { namespaces, cgroup } = container;
  const init = {
    ...processInit(process, container.config.linux?.seccomp),
    stdio: terminalOf(process) ?? ({ inherited: true } as const),
    cgroup,
    container: container.id,
  };
  // Holds for children born from now on.
  if (namespaces & CLONE_NEWPID) sys.setns(target, CLONE_NEWPID);
  // A time namespace is entered by file: by process it is for children alone.
  const time = namespaces & CLONE_NEWTIME ? sys.open(`/proc/${container.pid}/ns/time`, O_RDONLY | O_CLOEXEC) : -1;
  return launchProcess(
    {
      namespaces: 0,
      cgroup,
      idMaps: undefined,
      changesUser: (namespaces & CLONE_NEWUSER) !== 0,
      oomScoreAdj: process.oomScoreAdj ?? undefined,
      console: process.terminal ? console : -1,
      preserved,
      startFifo: undefined,
    },
    process.args[0] ?? '',
    (gates, ignored) => {
      if (time >= 0) sys.setns(time, CLONE_NEWTIME);
      joinContainer(sys, init, target, ignored, namespaces & ~(CLONE_NEWPID | CLONE_NEWTIME), gates);
    },
  );
}

/** From a file, or the container's own with another command and what the flags change. */
function processOf(container: Container, flags: Call['flags'], command: string[]): Process {
  if (typeof flags['process'] === 'string')
    return problems.parse(Process, JSON.parse(readFileSync(flags['process'], 'utf8')), flags['process']);
  const own = container.config.process;
  if (!own) throw new RuntimeError('exec: the container has no process to take settings from');
  const list = (name: string) => (flags[name] as string[] | undefined) ?? [];
  const capabilities = list('cap').map((name) => (name.startsWith('CAP_') ? name : `CAP_${name}`));
  const { capabilities: sets = null, ...rest } = own;
  const more = (names: string[] | null | undefined) => [...new Set([...(names ?? []), ...capabilities])];
  return problems.parse(
    Process,
    {
      ...rest,
      args: command,
      terminal: flags['tty'] === true,
      consoleSize: null,
      cwd: flags['cwd'] ?? own.cwd,
      env: [...(own.env ?? []), ...list('env')],
      user: userOf(own, flags['user'], list('additional-gids')),
      noNewPrivileges: flags['no-new-privs'] === true || own.noNewPrivileges,
      capabilities: sets && {
        ...sets,
        bounding: more(sets.bounding),
        effective: more(sets.effective),
        permitted: more(sets.permitted),
      },
    },
    'exec',
  );
}

/** `UID[:GID]` */
function userOf({ user }: Process, asked: unknown, groups: string[]) {
  const [uid = '', gid] = typeof asked === 'string' ? asked.split(':') : [String(user.uid), String(user.gid)];
  if (!/^\d+$/.test(uid) || !/^\d+$/.test(gid ?? '0'))
    throw new RuntimeError(`exec: --user ${String(asked)}: not UID[:GID]`);
  const additionalGids = [...(user.additionalGids ?? []), ...groups.map(Number)];
  return { ...user, uid: Number(uid), gid: Number(gid ?? 0), additionalGids };
}
