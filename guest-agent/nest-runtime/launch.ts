import { openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { O_CLOEXEC, O_RDWR, POLLIN, PR_SET_DUMPABLE, SOCK_CLOEXEC, F_SETFL } from '../sys/constants.ts';
import { linux as sys } from '../sys/sys.ts';
import { adjustOomScore } from '../security/resource-limits.ts';
import type { Gates } from '../zygote/gates.ts';
import { launch } from '../zygote/launch.ts';
import { parseReport, STATUS_FD } from '../zygote/report.ts';
import type { IdMap } from '../oci/mounts.ts';
import { launchError, RuntimeError } from './errors.ts';

export interface Birth {
  /** CLONE_NEW* that the process is born into. */
  namespaces: number;
  cgroup: string;
  /** Of its user namespace, when that is new. */
  idMaps: { uids: IdMap[]; gids: IdMap[] } | undefined;
  /** It enters a user namespace, in which it is root at first. */
  changesUser: boolean;
  oomScoreAdj: number | undefined;
  /** Descriptor of a socket that takes the terminal's other end; -1: there is no terminal. */
  console: number;
  /** How many descriptors after the standard streams the program gets: see preservedOf. */
  preserved: number;
  /** The program waits for a byte in it. */
  startFifo: string | undefined;
  /** Its namespaces and mounts are there; it waits. */
  created?: (pid: number) => void;
  /** Runs in the process itself at these points. */
  inContainer?: { created: () => void; start: () => void };
}

/**
 * Starts a copy of this process that runs `child`, and waits until it is at its program or at `startFifo`. When that fails
 * the process is gone.
 *
 * @param command name of the program, for the error
 */
export function launchProcess(birth: Birth, command: string, child: (gates: Gates, ignored: number[]) => void): number {
  const [ours, theirs] = sys.socketPair(SOCK_CLOEXEC);
  const ignored = ignoredSignals();
  // The process may be seen from a container it joins: nothing of it can be looked into. See ptrace(2).
  sys.prctl(PR_SET_DUMPABLE, 0);
  const { pid, pidfd, status } = launch(
    sys,
    birth.namespaces,
    birth.cgroup,
    () => {
      sys.close(ours);
      child(gatesOf(birth, theirs), ignored);
    },
    birth.preserved,
  );
  sys.close(theirs);
  try {
    if (birth.idMaps !== undefined) writeIdMaps(pid, birth.idMaps);
    writeSync(ours, '.');
    if (receive(ours)) {
      birth.created?.(pid);
      writeSync(ours, '.');
    }
    awaitReady(status, command);
    return pid;
  } catch (error) {
    sys.sendSignal(pidfd, constants.signals.SIGKILL);
    sys.wait(pid, 0);
    throw error;
  } finally {
    for (const fd of [ours, status, pidfd]) sys.close(fd);
  }
}

/** The process's side of the same socket. Whoever started it may be killed: the process then ends by itself. */
function gatesOf(birth: Birth, socket: number): Gates {
  const byte = Buffer.alloc(1);
  const wait = (fd: number, what: string) => {
    if (sys.read(fd, byte) !== 1) throw new RuntimeError(`wait for ${what}: who started this process is gone`);
  };
  // Under a number that Node has had open for itself, so that it stays when all others are closed.
  const fifo = birth.startFifo;
  const startFd = STATUS_FD + birth.preserved + 1;
  return {
    console: birth.console,
    preserved: birth.preserved,
    born() {
      // Before it becomes another user, who may not.
      if (birth.oomScoreAdj !== undefined) adjustOomScore(sys, birth.oomScoreAdj);
      if (fifo !== undefined) sys.dup3(openSync(fifo, O_RDWR), startFd, O_CLOEXEC);
      wait(socket, 'ID map');
      if (!birth.changesUser || birth.idMaps === undefined) return;
      sys.setgroups([]);
      sys.setgid(0);
      sys.setuid(0);
    },
    created() {
      sys.write(socket, byte);
      wait(socket, 'hooks');
      birth.inContainer?.created();
    },
    start() {
      if (fifo !== undefined) wait(startFd, 'start');
      birth.inContainer?.start();
    },
    kept: fifo === undefined ? 0 : 1,
  };
}

/** False when the process ended on its way: the report says why. */
const receive = (socket: number) => sys.read(socket, Buffer.alloc(1)) === 1;

function awaitReady(status: number, command: string): void {
  sys.fcntl(status, F_SETFL, 0);
  const buffer = Buffer.alloc(4096);
  let text = '';
  for (;;) {
    const count = sys.read(status, buffer) ?? 0;
    text += buffer.toString('utf8', 0, count);
    // With a start to wait for the pipe stays open after the newline that says ready.
    if (count === 0 || text === '\n') break;
  }
  if (text === '\n' && !sys.poll(status, POLLIN, 0)) return;
  const report = parseReport(text);
  if (report === 'silent') throw new RuntimeError(`start \`${command}\`: the process was killed on its way`);
  if (report !== 'ready') throw launchError(command, report);
}

/** user_namespaces(7); who may write one map may write all. */
function writeIdMaps(pid: number, { uids, gids }: { uids: IdMap[]; gids: IdMap[] }): void {
  const text = (maps: IdMap[]) =>
    maps.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');
  writeFileSync(`/proc/${pid}/uid_map`, text(uids));
  writeFileSync(`/proc/${pid}/gid_map`, text(gids));
}

/** Numbers of the signals that this process ignores: proc_pid_status(5), SigIgn. */
export function ignoredSignals(): number[] {
  const mask = BigInt(`0x${/^SigIgn:\t([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`);
  return Array.from({ length: 64 }, (_, index) => index + 1).filter((signal) => (mask >> BigInt(signal - 1)) & 1n);
}
