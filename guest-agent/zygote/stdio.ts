import { F_GETFL, F_SETFL, O_CLOEXEC, O_NONBLOCK, O_RDONLY, O_RDWR, S_IFIFO, S_IFMT } from '../sys/constants.ts';
import type { Sys } from '../sys/sys.ts';
import type { Stdio } from './protocol.ts';
import { STATUS_FD } from './report.ts';

/** Open in the child under numbers above STATUS_FD. */
export type StdioDescriptors = [stdin: number, stdout: number, stderr: number];

/**
 * Opens the streams by their names in the guest. The process's user owns them afterwards: a program may open /dev/stdout.
 */
export function openStdio(sys: Sys, { stdin, stdout, stderr }: Stdio, uid: number, gid: number): StdioDescriptors {
  const open = (path: string, openFile: (path: string) => number) => {
    const fd = openFile(path);
    // Not /dev/null, which is everyone's.
    if (uid !== 0 && (sys.fstat(fd).mode & S_IFMT) === S_IFIFO) sys.fchown(fd, uid, gid);
    return fd;
  };
  const openOutput = (path: string) => sys.open(path, O_RDWR | O_CLOEXEC);
  return [
    open(stdin ?? '/dev/null', (path) => openInput(sys, path)),
    open(stdout, openOutput),
    open(stderr, openOutput),
  ];
}

/**
 * Outputs are open for reading too, so that writing to one whose reader is away waits for the reader and is no SIGPIPE. The
 * input is not: it ends when its writer closes it. O_NONBLOCK is for open(2) alone, which would wait for a writer.
 */
function openInput(sys: Sys, path: string): number {
  const fd = sys.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  sys.fcntl(fd, F_SETFL, sys.fcntl(fd, F_GETFL, 0) & ~O_NONBLOCK);
  return fd;
}

/** Makes them the standard streams and closes everything else but the report, which closes by itself at execve. */
export function useStdio(sys: Sys, stdio: StdioDescriptors): void {
  for (const [copy, fd] of stdio.entries()) sys.dup2(fd, copy);
  sys.closeRange(STATUS_FD + 1, ALL_DESCRIPTORS);
}

/** close_range(2): the highest number there can be. */
const ALL_DESCRIPTORS = 0xffffffff;
