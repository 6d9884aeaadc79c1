import {
  F_GETFL,
  F_SETFD,
  F_SETFL,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  S_IFIFO,
  S_IFMT,
} from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import type { Gates } from './gates.ts';
import type { Outputs, Stdio } from './protocol.ts';
import { STATUS_FD } from './report.ts';

/** Open in the child under numbers above STATUS_FD, or where they are to be. */
export type StdioDescriptors = [stdin: number, ...outputs: OutputDescriptors];
export type OutputDescriptors = [stdout: number, stderr: number];

/**
 * Opens the outputs by their names in the guest: for reading too, so that writing to one whose reader is away waits for the
 * reader and is no SIGPIPE. Those of a terminal follow when it is there.
 */
export function openOutputs(sys: Sys, stdio: Stdio | Outputs): OutputDescriptors {
  if (!('stdout' in stdio)) return [1, 2];
  const { stdout, stderr } = stdio;
  const open = (path: string) => sys.open(path, O_RDWR | O_CLOEXEC);
  return [open(stdout), open(stderr)];
}

/** For reading only: it ends when its writer closes it. O_NONBLOCK is for open(2) alone, which would wait for a writer. */
export function openInput(sys: Sys, stdio: Stdio): number {
  if (!('stdin' in stdio)) return 0;
  const fd = sys.open(stdio.stdin ?? '/dev/null', O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  sys.fcntl(fd, F_SETFL, sys.fcntl(fd, F_GETFL, 0) & ~O_NONBLOCK);
  return fd;
}

/** The process's user owns the streams: a program may open /dev/stdout. Not /dev/null, which is everyone's. */
export function ownStdio(sys: Sys, stdio: StdioDescriptors, uid: number, gid: number): StdioDescriptors {
  if (uid !== 0) for (const fd of stdio) if ((sys.fstat(fd).mode & S_IFMT) === S_IFIFO) sys.fchown(fd, uid, gid);
  return stdio;
}

/**
 * Makes them the standard streams and closes everything else but what follows them, if the program gets more, and the report,
 * which closes by itself at execve.
 *
 * @param gates its `kept` are how many more after the report stay
 */
export function useStdio(
  sys: Sys,
  descriptors: StdioDescriptors,
  stdio: Stdio,
  { kept, preserved }: Pick<Gates, 'kept' | 'preserved'>,
): void {
  if ('inherited' in stdio) for (const fd of descriptors) passOn(sys, fd);
  else for (const [copy, fd] of descriptors.entries()) sys.dup2(fd, copy);
  for (let fd = STDERR + 1; fd <= STDERR + preserved; fd += 1) sys.fcntl(fd, F_SETFD, 0);
  sys.closeRange(STATUS_FD + preserved + 1 + kept, ALL_DESCRIPTORS);
}

/** Node marks descriptors close-on-exec and may make them non-blocking. */
function passOn(sys: Sys, fd: number): void {
  sys.fcntl(fd, F_SETFD, 0);
  sys.fcntl(fd, F_SETFL, sys.fcntl(fd, F_GETFL, 0) & ~O_NONBLOCK);
}

const STDERR = 2;
/** close_range(2): the highest number there can be. */
const ALL_DESCRIPTORS = 0xffffffff;
