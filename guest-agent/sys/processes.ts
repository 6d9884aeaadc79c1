import { check } from './check.ts';
import { lastErrno, type Libc, SYS } from './ffi.ts';
import { structure, writeU64 } from './structure.ts';
import { SystemError } from './system-error.ts';

/** Processes, their limits and signals, their namespaces, and what all of them see: host name and time. */
export const processes = (libc: Libc) => ({
  /** How the child ended, or null while it runs: waitpid(2) with WNOHANG, or 0 to wait for its end. */
  wait(pid: number, options = WNOHANG): { code: number | null; signal: number | null } | null {
    if (check(libc.waitpid(pid, STATUS, options), 'wait', pid) === 0) return null;
    const word = STATUS.readInt32LE(0);
    const signal = word & 0x7f;
    return signal === 0 ? { code: (word >> 8) & 0xff, signal: null } : { code: null, signal };
  },

  sendSignal: (pidfd: number, signal: number) => check(libc.pidfd_send_signal(pidfd, signal, null, 0), 'kill', signal),

  /** Returns only as an error. */
  execve(path: string, argv: string[], env: string[]): void {
    libc.execve(path, [...argv, null], [...env, null]);
    throw new SystemError('execve', path, lastErrno());
  },

  /** Ends the process at once: _exit(2). */
  exit: (code: number): never => libc._exit(code),

  setsid: () => check(libc.setsid(), 'setsid', ''),

  prctl: (option: number, argument: number, second = 0) =>
    check(libc.prctl(option, argument, second, 0, 0), 'prctl', option),
  personality: (domain: number) => check(libc.personality(domain), 'personality', domain),
  /** @param attributes struct sched_attr */
  schedule: (attributes: Buffer) =>
    check(libc.sched_setattr(SYS.sched_setattr, 0, attributes, 0), 'sched_setattr', attributes.readUInt32LE(4)),
  /** Of the calling thread: ioprio_set(2). */
  setIoPriority: (priority: number) =>
    check(libc.ioprio_set(SYS.ioprio_set, IOPRIO_WHO_PROCESS, 0, priority), 'ioprio_set', priority),

  /** Descriptor of a process, not only of one's own child. */
  openPid: (pid: number) => check(libc.pidfd_open(SYS.pidfd_open, pid, 0), 'pidfd_open', pid),
  /** A copy of the descriptor `fd` of another process. */
  takeDescriptor: (pidfd: number, fd: number) =>
    check(libc.pidfd_getfd(SYS.pidfd_getfd, pidfd, fd, 0), 'pidfd_getfd', fd),

  /** -1 is no limit. @param pid 0 is the calling process */
  setrlimit(resource: number, soft: number, hard: number, pid = 0): void {
    for (const [index, limit] of [soft, hard].entries())
      if (limit < 0) RLIMIT.fill(0xff, index * 8, index * 8 + 8);
      else writeU64(RLIMIT, limit, index * 8);
    check(libc.prlimit(pid, resource, RLIMIT, null), 'setrlimit', resource);
  },

  /** No signal blocked, and the default effect for those in `ignored`: Node ignores some, and execve keeps that. */
  resetSignals(ignored: number[]): void {
    for (const signal of ignored) libc.signal(signal, SIG_DFL);
    check(libc.sigprocmask(SIG_SETMASK, NO_SIGNALS, null), 'sigprocmask', '');
  },

  unshare: (namespaces: number) => check(libc.unshare(namespaces), 'unshare', ''),
  /** @param fd a namespace, or the pidfd of a process whose `namespaces` are to be joined */
  setns: (fd: number, namespaces: number) => check(libc.setns(fd, namespaces), 'setns', fd),
  /** @param milliseconds since 1970 */
  setClock(milliseconds: number): void {
    writeU64(TIMESPEC, Math.floor(milliseconds / 1000), 0);
    writeU64(TIMESPEC, Math.round((milliseconds % 1000) * 1e6), 8);
    check(libc.clock_settime(CLOCK_REALTIME, TIMESPEC), 'clock_settime', milliseconds);
  },

  sethostname: (name: string) => check(libc.sethostname(name, Buffer.byteLength(name)), 'sethostname', name),
  setdomainname: (name: string) => check(libc.setdomainname(name, Buffer.byteLength(name)), 'setdomainname', name),
});

const IOPRIO_WHO_PROCESS = 1;
const WNOHANG = 1;
const CLOCK_REALTIME = 0;
/** struct timespec {s64 tv_sec, tv_nsec} */
const TIMESPEC = structure(16);
const SIG_DFL = 0;
const SIG_SETMASK = 2;
/** sigset_t of glibc */
const NO_SIGNALS = structure(128);
/** struct rlimit {u64 rlim_cur, rlim_max} */
const RLIMIT = structure(16);
const STATUS = structure(4);
