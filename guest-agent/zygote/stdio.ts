import { F_GETFL, F_SETFL, O_CLOEXEC, O_NONBLOCK, O_RDONLY, O_RDWR, S_IFIFO, S_IFMT } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import type { Outputs, Stdio } from './protocol.ts';
import { STATUS_FD } from './report.ts';

/** Open in the child under numbers above STATUS_FD. */
export type StdioDescriptors = [stdin: number, ...outputs: OutputDescriptors];
export type OutputDescriptors = [stdout: number, stderr: number];

/**
 * Opens the outputs by their names in the guest: for reading too, so that writing to one whose reader is away waits for the
 * reader and is no SIGPIPE.
 */
export function openOutputs(sys: Sys, { stdout, stderr }: Outputs): OutputDescriptors {
  const open = (path: string) => sys.open(path, O_RDWR | O_CLOEXEC);
  return [open(stdout), open(stderr)];
}

/** For reading only: it ends when its writer closes it. O_NONBLOCK is for open(2) alone, which would wait for a writer. */
export function openInput(sys: Sys, { stdin }: Stdio): number {
  const fd = sys.open(stdin ?? '/dev/null', O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  sys.fcntl(fd, F_SETFL, sys.fcntl(fd, F_GETFL, 0) & ~O_NONBLOCK);
  return fd;
}

/** The process's user owns the streams: a program may open /dev/stdout. Not /dev/null, which is everyone's. */
export function ownStdio(sys: Sys, stdio: StdioDescriptors, uid: number, gid: number): StdioDescriptors {
  if (uid !== 0) for (const fd of stdio) if ((sys.fstat(fd).mode & S_IFMT) === S_IFIFO) sys.fchown(fd, uid, gid);
  return stdio;
}

/** Makes them the standard streams and closes everything else but the report, which closes by itself at execve. */
export function useStdio(sys: Sys, stdio: StdioDescriptors): void {
  for (const [copy, fd] of stdio.entries()) sys.dup2(fd, copy);
  sys.closeRange(STATUS_FD + 1, ALL_DESCRIPTORS);
}

/** close_range(2): the highest number there can be. */
const ALL_DESCRIPTORS = 0xffffffff;
